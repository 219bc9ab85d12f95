import Foundation
import Simulation
import TestSupport
import Testing

/// What else goes wrong while a gateway is killed again and again.
enum KillTrouble: String, CaseIterable, CustomTestStringConvertible {
    /// Only the program dies; the system writes the rest.
    case none
    /// The power goes: what was not synced is lost in part.
    case powerCut
    /// The same with a disk that says it has synced and has not.
    case lyingDisk
    /// The disk is full every now and then.
    case fullDisk
    /// One write in fifty and one sync in fifty fail.
    case failingDisk

    var testDescription: String { rawValue }

    /// Whether all that was answered must be there.
    var keepsWhatWasAnswered: Bool { self != .lyingDisk }
    /// Whether alarms may go out that could not be written down; after the kill they come again under another name.
    var mayTellUndurably: Bool { self == .fullDisk || self == .failingDisk || self == .lyingDisk }
}

/// A site under a trouble.
final class TroubledSite {
    let site: LittleSite
    let trouble: KillTrouble
    private let small: String
    private var power: PowerCut?
    private(set) var unsynced = 0

    /// nil where the machine lacks what the trouble needs.
    init?(_ trouble: KillTrouble) throws {
        let isSmall = trouble == .fullDisk
        if trouble == .failingDisk, !FileManager.default.isExecutableFile(atPath: "/usr/bin/fiu-run") { return nil }
        self.trouble = trouble
        site = try LittleSite(load: 30) { isSmall ? $0.replacingOccurrences(of: "path: w.sqlite", with: "path: small/w.sqlite") : $0 }
        small = "\(site.gateway.folder)/small"
        if isSmall {
            try FileManager.default.createDirectory(atPath: small, withIntermediateDirectories: true)
            guard getuid() == 0, try TechnicianCommandTests.shell(["/usr/bin/mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", small]).code == 0 else {
                site.end()
                return nil
            }
        }
        if trouble == .powerCut || trouble == .lyingDisk {
            power = try PowerCut(folder: site.gateway.folder, files: store, lies: trouble == .lyingDisk)
        }
    }

    /// The record's path.
    var store: String { trouble == .fullDisk ? "\(small)/w.sqlite" : "\(site.gateway.folder)/w.sqlite" }

    /// Starts the gateway, in trouble but for the last time.
    func start(_ random: inout SeededRandom, isLast: Bool = false, tries: Int = 0) async throws {
        let gateway = site.gateway
        try fill(false)
        // Sometimes there is no room from the start; but a record that never was cannot be begun on a full disk.
        if !isLast, random.unit() < 0.3, FileManager.default.fileExists(atPath: store) { try fill(true) }
        let words = trouble == .failingDisk && !isLast ? ["/usr/bin/fiu-run", "-x", "-f", "\(gateway.folder)/fiu"] : isLast ? [] : power?.words ?? []
        try gateway.start(through: words)
        do { try await eventually(within: 30) { gateway.http("GET", "/healthz").status == 200 } } catch {
            // libfiu itself sometimes hangs before a program of its begins: nothing was said yet. That start does not count.
            if trouble == .failingDisk, gateway.log.isEmpty, tries < 5 {
                gateway.signal(SIGKILL)
                try await eventually { !gateway.isRunning }
                return try await start(&random, isLast: isLast, tries: tries + 1)
            }
            Issue.record("no start under \(trouble): \(gateway.log.suffix(2500))")
            throw error
        }
        guard trouble == .failingDisk, !isLast else { return }
        for point in ["posix/io/rw/pwrite", "posix/io/rw/pwrite64", "posix/io/sync/fsync", "posix/io/sync/fdatasync"] {
            _ = try TechnicianCommandTests.shell(
                ["/usr/bin/fiu-ctrl", "-f", "\(gateway.folder)/fiu", "-c", "enable_random name=\(point),probability=0.02", "\(gateway.processID)"])
        }
    }

    /// Now and then the disk is full, or has room again.
    func turn(_ random: inout SeededRandom) throws {
        if random.unit() < 0.4 { try fill(random.unit() < 0.5) }
    }

    private func fill(_ isFull: Bool) throws {
        guard trouble == .fullDisk else { return }
        if isFull {
            _ = try TechnicianCommandTests.shell(["/bin/sh", "-c", "cat /dev/zero > \(small)/filler 2>/dev/null; true"])
        } else {
            try? FileManager.default.removeItem(atPath: "\(small)/filler")
        }
    }

    /// Kills the gateway, and the power with it where that is the trouble.
    func kill(_ random: inout SeededRandom) async throws {
        let gateway = site.gateway
        gateway.signal(SIGKILL)
        try await eventually { !gateway.isRunning }
        unsynced += try power?.cut(&random) ?? 0
    }

    func end() {
        site.gateway.signal(SIGKILL)
        if trouble == .fullDisk { _ = try? TechnicianCommandTests.shell(["/usr/bin/umount", "-l", small]) }
        site.end()
    }
}
