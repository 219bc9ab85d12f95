import Phrasebook
import SiteConfiguration
import Telemetry
import TestSupport
import Testing

@testable import BoardingControl

@Suite struct ElevatorProfileTests {
    static func shipped(_ name: String) throws -> ElevatorProfile {
        let text = try String(contentsOf: ShippedProfiles.root.appendingPathComponent("DeviceProfiles/elevators/\(name).yaml"), encoding: .utf8)
        let read = ElevatorProfileReader.read(text, file: name)
        return try #require(read.profile, "\(read.issues)")
    }

    @Test(arguments: ["wellward-elevator", "gbt24476-numeric", "door-blocking-board"]) func `a shipped elevator profile reads without a fault`(name: String)
        throws
    {
        #expect(try Self.shipped(name).id.rawValue == name)
    }

    @Test func `numeric codes become the native words, and what no map names is unknown, never normal`() throws {
        let profile = try Self.shipped("gbt24476-numeric")
        func status(_ json: String) throws -> ElevatorStatus { try profile.status(Array(json.utf8), arrival: 7) }
        let open = try status(#"{"service_mode":1,"car_status":0,"car_position":"1","door_status":4,"door_zone":1,"passenger_status":1}"#)
        #expect(open.serviceMode == .normal && open.motion == .stopped && open.door == .open && open.doorZone == true && open.sequence == 7)
        #expect(try status(#"{"service_mode":"3","car_status":0,"door_status":4,"door_zone":2}"#).serviceMode == .fireReturn)
        #expect(try status(#"{"service_mode":1,"car_status":0,"door_status":4,"door_zone":2}"#).doorZone == false)
        for mode in ["8", "99", "null", "\"normal\"", "true", "[]", "1.5"] {
            #expect(try status(#"{"service_mode":\#(mode),"car_status":0,"door_status":4,"door_zone":1}"#).serviceMode == .unknown, "\(mode)")
        }
        let bare = try status("{}")
        #expect(bare.serviceMode == .unknown && bare.motion == .unknown && bare.door == .unknown && bare.doorZone == nil)
        #expect(try status(#"{"door_zone":3}"#).doorZone == nil)
        for garbage in ["", "[1", "7", "\u{0}", String(repeating: "[", count: 9000)] {
            #expect(throws: NativeElevatorMessages.Fault.self) { try status(garbage) }
        }
        #expect(try profile.availability(Array("1".utf8)) && !profile.availability(Array("offline".utf8)))
    }

    @Test func `a status of a maker without known words never holds a door`() throws {
        let profile = try Self.shipped("gbt24476-numeric")
        var bench = DeskBench()
        for sequence in 1...8 {
            bench.now = bench.now.advanced(by: .milliseconds(300))
            let status = try profile.status(Array(#"{"service_mode":7,"car_status":0,"door_status":4,"door_zone":1}"#.utf8), arrival: Int64(sequence))
            bench.take(.status(status, fresh: true))
            bench.frame()
        }
        #expect(bench.holds.isEmpty)
    }

    @Test func `topics name one controller each, whatever stands around it`() throws {
        let board = try Self.shipped("door-blocking-board")
        #expect(board.topic(.command, address: "b7") == "board/b7/elenet/inbox")
        let numeric = try Self.shipped("gbt24476-numeric")
        #expect(numeric.subscription(.status) == "elevators/+/status")
        #expect(numeric.address(in: "elevators/l-3/status", of: .status) == "l-3")
        for other in ["elevators//status", "elevators/a/b/status", "elevators/l-3/statusx", "x/elevators/l-3/status"] {
            #expect(numeric.address(in: other, of: .status) == nil, "\(other)")
        }
    }

    @Test func `a board without a lease is told to release and never asked to hold`() throws {
        let board = try Self.shipped("door-blocking-board")
        var clock = CivilClock(zone: .gmt)
        func command(_ action: BoardingCommand.Action) -> BoardingCommand {
            BoardingCommand(
                id: "id-1", sequence: 1, action: action, issuedAt: WallTime(unixSeconds: 0), lease: .seconds(10), reason: "a \"quoted\" reason",
                statusSequence: 1,
                announcement: nil, boot: "b")
        }
        #expect(board.encode(command(.holdDoor), address: "b7", clock: &clock, openCase: nil) == nil)
        let bytes = try #require(board.encode(command(.release), address: "b7", clock: &clock, openCase: nil))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("\"type\":\"disable_block_door\"") && text.contains("\\\"quoted\\\""))
        #expect(!board.leases)
    }

    @Test func `a fault in an elevator profile is told with its line and fix`() {
        let text = """
            kind: elevator
            id: x
            title: {zh-Hans: 甲, en: A}
            document: d
            topics: {status: "lifts/+/status"}
            status:
              service_mode: {path: mode, values: {1: normale}}
              colour: /c
            """
        let read = ElevatorProfileReader.read(text, file: "x.yaml")
        #expect(read.profile == nil)
        let words = read.issues.map(\.description).joined(separator: "\n")
        for expected in ["{elevator}", "JSON Pointer", "normale", "colour"] { #expect(words.contains(expected), "\(words)") }
        #expect(read.issues.contains { $0.line == 7 })
    }
}
