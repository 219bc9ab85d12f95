import Foundation
import Safeguarding
import Simulation
import Telemetry
import Testing

/// States as earlier releases saved them.
@Suite struct SavedStateTests {
    @Test func `a state saved before silences were packed is read as the same`() throws {
        var home = LeakingHome()
        home.live(.days(20))
        let saved = try JSONEncoder().encode(home.watch)
        var state = try #require(try JSONSerialization.jsonObject(with: saved) as? [String: Any])
        var model = try #require(state["model"] as? [String: Any])
        let packed = try #require(model["silences"] as? [Int64])
        #expect(packed.first == -1 && packed.count > 50)
        // As they were: each silence a whole number of its own.
        var sum: Int64 = 0
        model["silences"] = packed.dropFirst().map { difference -> Int64 in
            sum += difference
            return sum
        }
        state["model"] = model
        let old = try JSONDecoder().decode(HouseholdWatch.self, from: JSONSerialization.data(withJSONObject: state))
        #expect(old == home.watch)
    }

    @Test(arguments: ["[-1]", "[]", "[-1,-1,-1,9223372036854775807]"]) func `odd lists of silences are read without a crash`(list: String) throws {
        var home = LeakingHome()
        home.live(.days(2))
        var state = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(home.watch)) as? [String: Any])
        var model = try #require(state["model"] as? [String: Any])
        model["silences"] = try JSONSerialization.jsonObject(with: Data(list.utf8))
        state["model"] = model
        var read = try JSONDecoder().decode(HouseholdWatch.self, from: JSONSerialization.data(withJSONObject: state))
        _ = read.handle(.tick, at: home.now.advanced(by: .days(2)))
        #expect(read.household == home.watch.household)
    }
}
