import Foundation
import Glibc
import Telemetry
import TimeSeriesStore
import Watchkeeping

/// The key that signs links, in a file of its own beside the record: a copy of the record is no key to open cases.
public struct LinkKeys: Codable, Sendable {
    /// A key that stood in the record of an earlier release, and so in its backups. Links it signed before are still good until they run out.
    struct Former: Codable, Sendable {
        var key: Data
        /// Unix seconds.
        var issuedBefore: Int64
    }

    var key: Data
    var former: Former?

    /// Where a record's key lies.
    public static func path(besides record: String) -> String { "\(record).link-key" }

    /// Beside which record the key is: where there is none beside a record that cannot be written, it is beside the substitute.
    static func place(record: String, store: Store) -> String {
        store.isLasting || FileManager.default.isReadableFile(atPath: path(besides: record)) ? record : store.path
    }

    /// The signer of a gateway: with the configured file's secret, or with a key made at the first start.
    static func signer(secretFile: String?, validFor: Interval, record: String, store: Store, now: WallTime) throws -> LinkSigner {
        if let path = secretFile, let data = FileManager.default.contents(atPath: path), data.count >= 16 {
            return LinkSigner(secret: data, validFor: validFor)
        }
        let path = path(besides: record)
        if let text = FileManager.default.contents(atPath: path), let kept = try? JSONDecoder().decode(LinkKeys.self, from: text), kept.key.count >= 16 {
            try forget(store)
            return kept.signer(validFor)
        }
        let old = try store.readNow { try $0.fact(fact) }.flatMap { Data(base64Encoded: $0) }.flatMap { $0.count >= 16 ? $0 : nil }
        let made = LinkKeys(
            key: Data((0..<32).map { _ in UInt8.random(in: 0...255) }), former: old.map { Former(key: $0, issuedBefore: now.unixSeconds) })
        do {
            try made.write(to: path)
            try forget(store)
        } catch {
            // A disk that takes nothing: links of this life are good for this life, those of before as well.
            return made.signer(validFor)
        }
        return made.signer(validFor)
    }

    private func signer(_ validFor: Interval) -> LinkSigner {
        LinkSigner(secret: key, former: former.map { ($0.key, WallTime(unixSeconds: $0.issuedBefore)) }, validFor: validFor)
    }

    private static let fact = "link_secret"

    private static func forget(_ store: Store) throws {
        guard try store.readNow({ try $0.fact(fact) }) != nil else { return }
        try store.writeNow { try $0.removeFact(fact) }
    }

    private func write(to path: String) throws {
        let fresh = "\(path).new"
        unlink(fresh)
        let descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: try JSONEncoder().encode(self))
        try handle.synchronize()
        try handle.close()
        guard rename(fresh, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    /// Prepares a copy of the record that takes the place of the present one: what was taken back since stays taken back. Where the present record
    /// cannot say what that is, all links end.
    public static func carryOver(from present: String, to copy: Store) throws {
        try copy.writeNow { try $0.removeFact(fact) }
        let revoked: [String: String]? = try? {
            guard FileManager.default.fileExists(atPath: present) else { return nil }
            let store = try Store(path: present)
            defer { try? store.close(inOrder: false) }
            return try store.readNow { try $0.facts(beginning: LinkSigner.revocations) }
        }()
        guard let revoked else {
            unlink(path(besides: present))
            return
        }
        try copy.writeNow { writer in
            for (name, value) in revoked {
                let earlier = try writer.reader.fact(name).flatMap { Int64($0) } ?? .min
                if Int64(value) ?? .max > earlier { try writer.setFact(name, value) }
            }
        }
    }
}
