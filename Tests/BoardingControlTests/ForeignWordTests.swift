import BoardingControl
import Foundation
import Testing

/// Words of controllers and cameras that people see, or that are kept.
@Suite struct ForeignWordTests {
    @Test func `a floor, fault codes, a track and an image of any length are short ones when they are read`() throws {
        let long = "3" + String(repeating: "\u{301}", count: 3000)
        let status = try NativeElevatorMessages.status(
            Array("{\"seq\":1,\"floor\":\"\(long)\\u001b[31m\",\"faults\":[\(Array(repeating: "\"e\\u0007\"", count: 200).joined(separator: ","))]}".utf8))
        #expect(status.floor.utf8.count <= 32 && status.floor.unicodeScalars.first == "3" && !status.floor.unicodeScalars.contains("\u{1B}"))
        #expect(status.faults.count <= 32 && status.faults.allSatisfy { $0 == "e" })
        let seen = try NativeElevatorMessages.detection(
            Array("{\"seq\":1,\"track\":\"t17\",\"class\":\"ebike\",\"confidence\":0.9,\"zone\":\"door\",\"image\":\"\(long)\"}".utf8))
        #expect(seen.track == "t17" && (seen.image ?? "").utf8.count <= 512)
    }
}
