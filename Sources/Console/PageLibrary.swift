import Foundation
import Hummingbird
import Mustache
import NIOCore
import Phrasebook

/// The pages' templates, style sheet and script, which are part of the program.
struct PageLibrary: Sendable {
    private let library: MustacheLibrary
    /// Increases with the program; lets browsers keep the static files.
    static let style = String(decoding: PackageResources.style_css, as: UTF8.self)
    static let script = String(decoding: PackageResources.script_js, as: UTF8.self)

    private static let sources: [(String, [UInt8])] = [
        ("head", PackageResources.head_mustache), ("foot", PackageResources.foot_mustache),
        ("overview", PackageResources.overview_mustache), ("home", PackageResources.home_mustache),
        ("case", PackageResources.case_mustache), ("cases", PackageResources.cases_mustache),
        ("elevators", PackageResources.elevators_mustache), ("devices", PackageResources.devices_mustache),
        ("audit", PackageResources.audit_mustache), ("login", PackageResources.login_mustache),
        ("problem", PackageResources.problem_mustache), ("statistics", PackageResources.statistics_mustache),
        ("people", PackageResources.people_mustache), ("quality", PackageResources.quality_mustache),
    ]

    /// Reads the templates; they were checked when the program was built and tested.
    init() throws {
        var library = MustacheLibrary()
        for (name, bytes) in Self.sources {
            library.register(try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self)), named: name)
        }
        self.library = library
    }

    private static let labels: [Language: [String: String]] = Dictionary(
        uniqueKeysWithValues: Language.allCases.map { language in
            (language, Dictionary(uniqueKeysWithValues: Label.allCases.map { ($0.rawValue, $0.text[language]) }))
        })

    /// A page as a response.
    func page(_ name: String, _ context: [String: Any], language: Language, status: HTTPResponse.Status = .ok) -> Response {
        var full = context
        full["t"] = Self.labels[language] ?? [:]
        full["lang"] = language.rawValue
        let html = library.render(full, withTemplate: name) ?? ""
        return Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: html)))
    }
}
