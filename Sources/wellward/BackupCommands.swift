import ArgumentParser
import Documents
import Foundation
import Gateway
import Glibc
import SiteConfiguration
import TimeSeriesStore

/// `wellward backup`
struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: Spoken.say("在网关运行时备份它的记录。", "Copy the gateway's record while it is at work."),
        discussion: Spoken.say(
            "备份是某一时刻的一个SQLite文件，只有网关的用户能读。里面能看出谁独居：要像网关一样看管好。带姓名和地址的配置不在里面。",
            """
            The copy is one SQLite file of one moment, for the gateway's user alone. It says who lives alone: keep it as carefully as the gateway. The \
            configuration, with names and addresses, is not in it.
            """)
            + "\n\n" + Spoken.examples("wellward backup --config /etc/wellward/wellward.yaml --to /mnt/usb/wellward-2026-11-24.sqlite"))

    @Option(help: .said("配置文件。", "The configuration file.")) var config: String
    @Option(help: .said("新文件。", "The new file.")) var to: String

    func run() throws {
        umask(0o077)
        let path = try storagePath(config)
        // A symbolic link that leads nowhere is something too: what is behind it is not ours to make.
        var status = stat()
        guard lstat(to, &status) != 0 else {
            throw CommandFault(Spoken.say("\(to)：已有这个文件，换一个名字", "\(to): there is a file already; name a new one"))
        }
        do throws(StoreFault) {
            let store = try Store(path: path)
            try store.backup(to: to)
            try store.close(inOrder: false)
            let copy = try Store(path: to)
            let faults = try copy.integrityFaults()
            try copy.close()
            if let fault = faults.first { throw .corrupt(fault) }
        } catch {
            try? FileManager.default.removeItem(atPath: to)
            throw CommandFault(Spoken.say("\(path)没有备份成：\(error.text.chinese)", "\(path) was not backed up: \(error)"))
        }
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: to + suffix) }
        print(Spoken.say("已备份到\(to)，并已校验。", "Backed up to \(to), and checked."))
    }
}

/// `wellward restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: Spoken.say("从备份恢复记录；网关须先停下。", "Put a backup in the place of the record; the gateway must be stopped."),
        discussion: Spoken.say(
            "现在的记录会放在一旁，绝不删除。备份之后发生的事就不知道了：读数缺失，工单停在当时的状态，当时没发出的通知按原编号重发。",
            """
            The present record is set aside beside it, never deleted. What happened after the backup is then unknown: readings are missing, cases stand as they \
            stood, and notices of that time that were not sent are sent again under their old ids.
            """)
            + "\n\n" + Spoken.examples("wellward restore --config /etc/wellward/wellward.yaml --from /mnt/usb/wellward-2026-11-24.sqlite"))

    @Option(help: .said("配置文件。", "The configuration file.")) var config: String
    @Option(help: .said("备份文件。", "The backup.")) var from: String

    func run() throws {
        umask(0o077)
        let path = try storagePath(config, mustExist: false)
        do throws(StoreFault) {
            let lock = try StoreLock(path: path)
            try withExtendedLifetime(lock) { () throws(StoreFault) in
                let fresh = path + ".restoring"
                try? FileManager.default.removeItem(atPath: fresh)
                guard (try? FileManager.default.copyItem(atPath: from, toPath: fresh)) != nil else { throw .failed("\(from) cannot be copied") }
                let copy = try Store(path: fresh)
                if let fault = try copy.integrityFaults().first { throw .corrupt("\(from): \(fault)") }
                // The record goes back in time: what it sends upstream from here on must not bear names that were used since.
                try copy.writeNow { try $0.beginUpstreamTag() }
                do { try LinkKeys.carryOver(from: path, to: copy) } catch { throw .failed("\(error)") }
                try copy.close()
                for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: fresh + suffix) }
                var aside = "\(path).before-restore-\(Int(Date().timeIntervalSince1970))"
                // Two within a second: neither takes the other's place.
                while FileManager.default.fileExists(atPath: aside) { aside += "-again" }
                do {
                    for suffix in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + suffix) {
                        try FileManager.default.moveItem(atPath: path + suffix, toPath: aside + suffix)
                    }
                    try FileManager.default.moveItem(atPath: fresh, toPath: path)
                    try giveToGateway(path)
                } catch { throw .failed(error.localizedDescription) }
            }
        } catch {
            throw CommandFault(Spoken.say("备份没有恢复成：\(error.text.chinese)", "the backup was not restored: \(error)"))
        }
        // The record that was damaged is gone from here.
        StoreOpening.unmarkDamaged(path)
        print(Spoken.say("已恢复；原来的记录留在旁边（.before-restore-…）。", "Restored; the record that was there lies beside it (.before-restore-…)."))
    }
}

/// What root has put into another user's folder belongs to that user: the gateway runs as itself and must open it.
private func giveToGateway(_ path: String) throws {
    guard getuid() == 0 else { return }
    let folder = try FileManager.default.attributesOfItem(atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    let owner = folder.filter { [.ownerAccountID, .groupOwnerAccountID].contains($0.key) }
    for file in [path, path + ".lock", LinkKeys.path(besides: path)] where FileManager.default.fileExists(atPath: file) {
        try FileManager.default.setAttributes(owner, ofItemAtPath: file)
    }
}

/// Where a configuration keeps its record.
func storagePath(_ config: String, mustExist: Bool = true) throws -> String {
    let result = try ConfigurationLoader.load(config)
    guard let configuration = result.configuration else { throw DocumentIssues(result.issues.filter { $0.severity == .error }) }
    let path = configuration.storage.path
    guard !mustExist || FileManager.default.fileExists(atPath: path) else { throw CommandFault(Spoken.say("\(path)：还没有记录", "\(path): there is no record yet")) }
    return path
}
