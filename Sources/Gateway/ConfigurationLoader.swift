import Documents
import Foundation
import Glibc
import SiteConfiguration

/// Reads a configuration from disk.
public enum ConfigurationLoader {
    /// Reads and checks a file.
    /// - Throws: `DocumentIssues` when the file cannot be read at all
    public static func load(_ path: String) throws(DocumentIssues) -> ConfigurationReader.Result {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let text: String
        do {
            text = try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw DocumentIssues([
                DocumentIssue(
                    file: path, line: nil, key: "", problem: .said("文件读不了，或不是UTF-8文本", "the file cannot be read as UTF-8 text"),
                    fix: .said("检查路径和文件权限", "check the path and the file's rights"))
            ])
        }
        let files = files(base: url.deletingLastPathComponent().path)
        var result = ConfigurationReader.read(text, file: path, files: files)
        // A device, as in `config check /dev/stdin`, is nobody's file.
        if let configuration = result.configuration, !url.path.hasPrefix("/dev/"), let mode = files.mode(url.path), mode & 0o004 != 0,
            configuration.households.contains(where: { !$0.name.isEmpty || !$0.address.isEmpty })
        {
            result.issues.append(
                DocumentIssue(
                    severity: .warning, file: path, line: nil, key: "households",
                    problem: .said("本机上谁都能看到这里写的谁独居", "everybody on this machine may read here who lives alone"),
                    fix: .said("运行`chmod 640 \(path)`", "chmod 640 \(path)")))
        }
        return result
    }

    /// The text of an ordinary file: a pipe would be waited for without an end.
    @Sendable private static func readOrdinary(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFIFO else { return nil }
        return try? String(contentsOfFile: path, encoding: .utf8)
    }

    /// Files on disk, relative to a folder.
    public static func files(base: String) -> ConfigurationFiles {
        var files = ConfigurationFiles(
            base: base, profileRoots: profileRoots,
            read: readOrdinary,
            list: { folder, suffix in
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else { return nil }
                let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                return names.filter { suffix.isEmpty || $0.hasSuffix(suffix) }.sorted().map { "\(folder)/\($0)" }
            })
        files.look = { path in
            let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { return errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable }
            close(descriptor)
            return .readable
        }
        files.mode = { ((try? FileManager.default.attributesOfItem(atPath: $0))?[.posixPermissions] as? NSNumber)?.intValue }
        return files
    }

    /// Where device profiles may lie besides the configuration's folder: the working folder, beside the program (and
    /// above it, for a program run from its build folder), and where the package installs them.
    public static var profileRoots: [String] {
        var roots = [FileManager.default.currentDirectoryPath]
        if let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
            for _ in 0..<5 {
                roots.append(folder.path)
                folder = folder.deletingLastPathComponent()
            }
        }
        return roots + ["/usr/share/wellward"]
    }

    /// The shipped library of profiles, wherever it lies.
    public static var profileFolder: String? {
        profileRoots.map { "\($0)/DeviceProfiles" }.first { FileManager.default.fileExists(atPath: $0) }
    }
}
