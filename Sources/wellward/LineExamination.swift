import Foundation
import Gateway
import Glibc
import Messaging
import SiteConfiguration
import Threads

/// What the doctor sees of buses and brokers.
enum LineExamination {
    static func bus(_ bus: SiteConfiguration.Bus) -> Doctor.Finding {
        let name = "bus \(bus.id)"
        guard bus.transport == .rtu else { return reach(name, bus.host, bus.port) }
        var status = stat()
        guard stat(bus.device, &status) == 0 else {
            return Doctor.Finding(
                what: name, state: .bad, text: Spoken.say("没有\(bus.device)", "\(bus.device) is not there"),
                todo: Spoken.say("插上转换器；`ls /dev/serial/by-id`里有它不变的名字", "plug the adapter in; `ls /dev/serial/by-id` names it for good"))
        }
        // What root may open says nothing about the gateway, which runs as a user of its own with the unit's group.
        let service = getpwnam("wellward").map { ($0.pointee.pw_uid, $0.pointee.pw_gid) }
        let isAbout = service.map { getuid() == 0 || getuid() == $0.0 } ?? false
        if isAbout, let (user, group) = service {
            let groups = [group, getgrnam("dialout").map(\.pointee.gr_gid)].compactMap { $0 }
            guard FileRights(status).allowReadingAndWriting(user: user, groups: groups) else {
                return Doctor.Finding(
                    what: name, state: .bad,
                    text: Spoken.say(
                        "用户wellward打不开\(bus.device)，加上dialout组也不行", "\(bus.device) may not be opened by the user wellward, with or without the group dialout"),
                    todo: Spoken.say(
                        "用udev规则把\(bus.device)设为dialout组、660权限，重启后仍有效", "chgrp dialout \(bus.device) and chmod 660 it, by a udev rule so that it stays so"))
            }
            return Doctor.Finding(
                what: name, state: .good, text: Spoken.say("网关的用户能打开\(bus.device)", "\(bus.device) can be opened by the gateway's user"), todo: "")
        }
        guard access(bus.device, R_OK | W_OK) == 0 else {
            return Doctor.Finding(
                what: name, state: .bad, text: Spoken.say("这个用户打不开\(bus.device)", "\(bus.device) may not be opened by this user"),
                todo: Spoken.say("把用户加进dialout组，或以网关的用户运行", "add the user to the group dialout, or run this as the gateway's user"))
        }
        return Doctor.Finding(what: name, state: .good, text: Spoken.say("能打开\(bus.device)", "\(bus.device) can be opened"), todo: "")
    }

    /// Whether the broker lets us in and lets us hear what we must, within five seconds.
    static func broker(_ what: String, _ broker: SiteConfiguration.Broker, topics: [(String, Int32)] = []) -> Doctor.Finding {
        let heard = BlockingQueue<ConnectionHealth>(capacity: 64)
        let client: MQTTClient
        let told: @Sendable (ConnectionHealth) -> Void = { heard.push($0) }
        do { client = try MQTTClient(broker.settings(clientID: "wellward-doctor"), subscribe: topics, onHealth: told) { _ in } } catch {
            return Doctor.Finding(what: what, state: .bad, text: "\(error)", todo: Spoken.say("检查主机名和端口", "check host and port"))
        }
        defer { client.close() }
        let deadline = OwnThread.monotonicMilliseconds() + 5000
        var troubles: [ConnectionTrouble] = []
        while case .element(let health) = heard.pop(until: deadline) {
            troubles = health.troubles
            if health.isGood {
                return Doctor.Finding(
                    what: what, state: .good, text: Spoken.say("\(broker.host):\(broker.port)让我们登录了", "\(broker.host):\(broker.port) lets us in"),
                    todo: "")
            }
            // A broker that speaks another version is tried again at once; all else stays so for a while.
            if let first = troubles.first, ![.lost, .noMQTT].contains(first.kind) { break }
        }
        guard let trouble = troubles.first else {
            return BrokerAdvice.finding(what, broker, ConnectionTrouble(.silent, ""))
        }
        let door = trouble.kind == .unreachable ? reach(what, broker.host, broker.port) : nil
        return door.flatMap { $0.state == .good ? nil : $0 } ?? BrokerAdvice.finding(what, broker, trouble)
    }

    /// Whether somebody listens there, within three seconds.
    private static func reach(_ what: String, _ host: String, _ port: Int) -> Doctor.Finding {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let first = list else {
            return Doctor.Finding(
                what: what, state: .bad, text: Spoken.say("找不到\(host)这个名字", "the name \(host) is not known"),
                todo: Spoken.say("检查名字，或本机的域名服务器", "check the name, or the machine's name servers"))
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(first.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        defer { close(descriptor) }
        var fault: Int32 = 0
        if connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) != 0 {
            var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            var size = socklen_t(MemoryLayout<Int32>.size)
            if errno != EINPROGRESS || poll(&wait, 1, 3000) != 1 || getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &size) != 0 { fault = ETIMEDOUT }
        }
        guard fault == 0 else {
            return Doctor.Finding(
                what: what, state: .bad,
                text: Spoken.say(
                    "\(host):\(port)没有应答（\(String(cString: strerror(fault)))）", "\(host):\(port) does not answer (\(String(cString: strerror(fault))))"),
                todo: Spoken.say("看它是否在运行，中间有没有防火墙", "check that it runs and that no firewall stands between"))
        }
        return Doctor.Finding(what: what, state: .good, text: Spoken.say("\(host):\(port)有应答", "\(host):\(port) answers"), todo: "")
    }
}
