import Foundation
import TestSupport
import Testing

@testable import wellward

/// What the built program says of itself and of the machine it is on.
@Suite struct DoctorTests {
    private static func look(_ site: LittleSite) throws -> (code: Int32, byName: [String: [String: String]]) {
        let done = try TechnicianCommandTests.run(["doctor", "--config", "\(site.gateway.folder)/wellward.yaml", "--format", "jsonl"])
        let findings = done.out.split(separator: "\n").compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: String] }
        return (done.code, Dictionary(findings.map { ($0["what"] ?? "", $0) }, uniquingKeysWith: { first, _ in first }))
    }

    @Test func `the doctor finds a broker that lets it in, one that is gone, and one that is none, and says what to do`() throws {
        let site = try LittleSite()
        defer { site.end() }
        let well = try Self.look(site)
        #expect(well.code == 0, "\(well.byName)")
        for name in ["bus net", "bus lane", "broker", "disk"] { #expect(well.byName[name]?["state"] == "good", "\(name): \(well.byName)") }
        #expect(well.byName["clock"]?["text"]?.isEmpty == false)
        // Something answers there that speaks no MQTT.
        try site.gateway.write("wellward.yaml", site.text.replacingOccurrences(of: "port: \(site.broker.port)}", with: "port: \(site.tcp.port)}"))
        let strange = try Self.look(site)
        #expect(strange.code == 1 && strange.byName["broker"]?["text"]?.contains("is there and does not answer") == true, "\(strange.byName)")
        try site.gateway.write("wellward.yaml", site.text.replacingOccurrences(of: site.serial.devicePath, with: "/dev/ttyUSB99"))
        site.broker.stop()
        let ill = try Self.look(site)
        #expect(ill.code == 1 && ill.byName["broker"]?["state"] == "bad" && ill.byName["bus lane"]?["state"] == "bad", "\(ill.byName)")
        for finding in ill.byName.values where finding["state"] != "good" { #expect(finding["todo"]?.isEmpty == false, "\(finding)") }
    }

    @Test func `a serial line is judged for the gateway's user and its group, not for root`() {
        let line = FileRights(owner: 0, group: 20, mode: 0o660)
        #expect(line.allowReadingAndWriting(user: 0, groups: []) && line.allowReadingAndWriting(user: 999, groups: [999, 20]))
        #expect(!line.allowReadingAndWriting(user: 999, groups: [999]))
        #expect(!FileRights(owner: 0, group: 20, mode: 0o640).allowReadingAndWriting(user: 999, groups: [20]))
        #expect(!FileRights(owner: 999, group: 20, mode: 0o060).allowReadingAndWriting(user: 999, groups: [20]), "the first that fits decides")
    }

    @Test(arguments: ["loud", "Feildbus=debug", "info,Gateway=loud"]) func `a level or an area of the log that is none is refused with what there is`(
        level: String
    )
        throws
    {
        let done = try TechnicianCommandTests.run(["run", "--config", "/nowhere.yaml", "--log-level", level])
        #expect(done.code == 1 && done.err.contains("there are:"), "\(done)")
    }

    @Test func `the log is as loud as each area is told to be`() throws {
        let (quiet, loud) = (try makeLogger("error,Gateway=debug"), try makeLogger("warning"))
        #expect(quiet.logLevel == .debug && loud.logLevel == .warning)
    }

    @Test func `version and build are the same in the command, in the health answer and in the metrics`() async throws {
        let said = try TechnicianCommandTests.run(["--version"]).out.trimmingCharacters(in: .whitespacesAndNewlines)
        let version = try #require(said.split(separator: " ").last.map(String.init))
        #expect(version.hasPrefix("0.") && version.contains("+"))
        let site = try LittleSite()
        defer { site.end() }
        try site.gateway.start()
        try await eventually { site.gateway.http("GET", "/healthz").status == 200 }
        #expect(site.gateway.http("GET", "/healthz").json["version"] as? String == version)
        #expect(site.gateway.http("GET", "/metrics").text.contains("wellward_build_info{version=\"\(version)\"} 1"))
        let limit = try TechnicianCommandTests.shell(["/bin/sh", "-c", "grep 'core file' /proc/\(site.gateway.processID)/limits"])
        #expect(limit.out.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "no dump of who lives alone: \(limit.out)")
    }
}
