import DeviceProfiles
import Foundation
import Telemetry

/// The profiles in the repository, for tests.
public enum ShippedProfiles {
    /// A file.
    public struct Entry: Sendable, CustomStringConvertible {
        public var name: String
        public var text: String
        public var description: String { name }

        /// A file by name and text.
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// The repository's root.
    public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every meter profile.
    public static let all: [Entry] = {
        let folder = root.appendingPathComponent("DeviceProfiles/meters")
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).filter { $0.hasSuffix(".yaml") }.sorted()
        return names.compactMap { name in
            (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)).map { Entry(name: name, text: $0) }
        }
    }()

    /// One model.
    public static func model(_ id: String) -> MeterProfile? {
        all.first { $0.name == "\(id).yaml" }.flatMap { ProfileReader.read($0.text, file: $0.name).profile }
    }
}
