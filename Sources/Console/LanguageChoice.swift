import Foundation
import HTTPTypes
import Hummingbird
import Phrasebook

/// The reader's choice of a language on the page, kept in a cookie.
enum LanguageChoice {
    /// Where the switch on a page leads. On pages that need no account it leads back to themselves: a link's path holds its token, which
    /// belongs into no query.
    static func toggle(to language: Language, on path: String) -> String {
        isOpen(path) ? "?language=\(language.rawValue)" : "/language?to=\(language.rawValue)&back=\(ownPath(path))"
    }

    private static func isOpen(_ path: String) -> Bool { path.hasPrefix("/l/") || path == "/login" }

    /// A path of our own pages, as it is; the overview for anything else. What a browser might read as another site has a sign in it that no
    /// path of ours has: a backslash, a tab, a second slash, an escape.
    static func ownPath(_ path: String) -> String {
        let isPlain =
            path.utf8.count <= 200
            && path.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
                default: false
                }
            }
        return isPlain && path.hasPrefix("/") && !path.contains("//") && !path.hasPrefix("/l/") ? path : "/"
    }

    /// The cookie that keeps a choice.
    static func cookie(_ language: Language) -> String { "wellward_language=\(language.rawValue); Path=/; Max-Age=31536000; SameSite=Lax" }

    /// The answer to a switch on a page that needs no account: the same page again, without the query.
    static func answer(_ request: Request) -> Response? {
        guard let word = request.uri.queryParameters["language"], isOpen(request.uri.path) else { return nil }
        // The path as it came: a link's letters are Base64's for addresses.
        var headers: HTTPFields = [.location: request.uri.path, .cacheControl: "no-store"]
        headers[.setCookie] = cookie(word == "en" ? .english : .chinese)
        return Response(status: .seeOther, headers: headers)
    }
}
