import Foundation

/// The unit's own limits around a program, where this machine lets a test set them: memory by a control group, descriptors by the shell.
final class MemoryLimit: Sendable {
    /// `MemoryMax` of Deploy/wellward.service, in bytes.
    let bytes: Int
    /// The control group; nil where none can be made.
    private let group: String?

    init(unit: String) {
        let line = unit.split(separator: "\n").first { $0.hasPrefix("MemoryMax=") } ?? "MemoryMax=512M"
        bytes = (Int(line.filter(\.isNumber)) ?? 512) << 20
        let name = "wellward-test-\(UUID().uuidString)"
        let places = [("/sys/fs/cgroup/memory/\(name)", "memory.limit_in_bytes"), ("/sys/fs/cgroup/\(name)", "memory.max")]
        var made: String?
        for (folder, file) in places where made == nil && FileManager.default.fileExists(atPath: (folder as NSString).deletingLastPathComponent) {
            guard mkdir(folder, 0o755) == 0 else { continue }
            if (try? "\(bytes)".write(toFile: "\(folder)/\(file)", atomically: false, encoding: .utf8)) != nil {
                made = folder
                _ = try? "0".write(toFile: "\(folder)/memory.swap.max", atomically: false, encoding: .utf8)
            } else {
                rmdir(folder)
            }
        }
        group = made
    }

    /// Whether the kernel keeps the limit; otherwise a test can only look at the peak.
    var isKept: Bool { group != nil }

    /// Words before the program's own.
    var words: [String] {
        let enter = group.map { "echo $$ >\($0)/cgroup.procs && " } ?? ""
        return ["/bin/sh", "-c", "\(enter)ulimit -n 1024 && exec \"$0\" \"$@\""]
    }

    /// Takes the group away; what ran in it must have ended.
    func remove() { if let group { rmdir(group) } }
}
