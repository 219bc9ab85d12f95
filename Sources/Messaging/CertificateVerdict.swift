import CMosquitto
import Glibc

/// What the TLS library thinks of the broker's certificate. libmosquitto only says that verification failed; why is asked from OpenSSL itself, which
/// is in the process anyway.
enum CertificateVerdict {
    private typealias VerifyResult = @convention(c) (UnsafeMutableRawPointer) -> Int
    private typealias Words = @convention(c) (Int) -> UnsafePointer<CChar>?

    private static func symbol<Function>(_ name: String, as type: Function.Type) -> Function? {
        dlsym(nil, name).map { unsafeBitCast($0, to: type) }
    }

    /// The verdict on the connection that is being made, in OpenSSL's words; nil when it was accepted, or cannot be asked.
    /// Only while libmosquitto has the connection open: in its callbacks.
    static func words(_ client: OpaquePointer) -> String? {
        guard let connection = mosquitto_ssl_get(client), let verify = symbol("SSL_get_verify_result", as: VerifyResult.self) else { return nil }
        let verdict = verify(connection)
        guard verdict != 0 else { return nil }
        let text = symbol("X509_verify_cert_error_string", as: Words.self)?(verdict).map { String(cString: $0) } ?? "code \(verdict)"
        // X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED (x509_vfy.h) are as often the fault of the clock that looks.
        return verdict == 9 || verdict == 10 ? "\(text), says this machine's clock, where it is \(today())" : text
    }

    private static func today() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    }
}
