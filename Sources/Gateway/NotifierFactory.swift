import AsyncHTTPClient
import Casework
import Foundation
import Messaging
import Notifiers
import SiteConfiguration
import Telemetry
import Watchkeeping

/// Makes the channels of a configuration.
struct NotifierFactory {
    let http: HTTPClient
    let clock: GatewayClock
    let broker: AcknowledgedPublisher?

    func notifiers(_ configuration: SiteConfiguration) -> [ChannelID: any Notifier] {
        var result: [ChannelID: any Notifier] = [:]
        for channel in configuration.channels { result[channel.id] = notifier(channel) }
        return result
    }

    /// What the channels bear, of those that bear only so much.
    static func paces(_ configuration: SiteConfiguration) -> [ChannelID: DeliverySchedule.Pace] {
        var result: [ChannelID: DeliverySchedule.Pace] = [:]
        for channel in configuration.channels {
            if let maker = RobotNotifier.Maker(rawValue: channel.kind.rawValue) { result[channel.id] = maker.pace }
        }
        return result
    }

    /// The first line of a secret file.
    private func secret(_ channel: SiteConfiguration.Channel, _ key: String) -> String? {
        guard let path = channel.files[key], let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.split(whereSeparator: \.isNewline).first.map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private func notifier(_ channel: SiteConfiguration.Channel) -> (any Notifier)? {
        let wall: @Sendable () -> WallTime = { GatewayClock.systemWall() }
        switch channel.kind {
        case .file: return channel.settings["path"].map { FileNotifier(path: $0) }
        case .webhook:
            return (channel.settings["url"] ?? secret(channel, "url_file")).map {
                WebhookNotifier(client: http, url: $0, secret: secret(channel, "secret_file"), now: wall)
            }
        case .wecom, .dingtalk, .feishu:
            guard let maker = RobotNotifier.Maker(rawValue: channel.kind.rawValue), let url = secret(channel, "url_file") else { return nil }
            return RobotNotifier(
                client: http, maker: maker, url: url, secret: secret(channel, "secret_file"), keyword: channel.settings["keyword"], now: wall)
        case .ntfy:
            return channel.settings["topic"].map {
                NtfyNotifier(client: http, server: channel.settings["server"] ?? "https://ntfy.sh", topic: $0, token: secret(channel, "token_file"))
            }
        case .mqtt:
            guard let broker, let topic = channel.settings["topic"] else { return nil }
            return MQTTNotifier(client: broker, topic: topic)
        case .smtp: return channel.relay(password: secret(channel, "password_file")).map { MailNotifier(relay: $0, now: wall) }
        }
    }
}

extension SiteConfiguration.Channel {
    /// A mail channel's relay. Without a port, the one its kind of security uses.
    func relay(password: String?) -> MailNotifier.Relay? {
        guard let host = settings["host"] else { return nil }
        let security = MailNotifier.Security(rawValue: settings["tls"] ?? "starttls") ?? .starttls
        let usual = security == .tls ? 465 : security == .starttls ? 587 : 25
        return MailNotifier.Relay(
            host: host, port: settings["port"].flatMap { Int($0) } ?? usual, security: security, username: settings["username"], password: password,
            from: settings["from"] ?? settings["username"] ?? "wellward@\(host)", authorityFile: settings["ca_file"])
    }
}

extension SiteConfiguration.Broker {
    /// The broker as the client knows it; the password's file is read by the connection, at each attempt.
    public func settings(clientID: String) -> MQTTSettings {
        let tls = authorityFile.map { MQTTSettings.TLS(authority: $0, certificate: certificateFile, key: keyFile) }
        return MQTTSettings(host: host, port: port, clientID: clientID, username: username, passwordFile: passwordFile, tls: tls)
    }
}
