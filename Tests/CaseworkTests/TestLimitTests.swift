import Telemetry
import Testing

@testable import Casework

@Suite struct TestLimitTests {
    @Test func `two hundred tests to one relative are three, and there is room again after ten minutes`() {
        var limit = TestLimit()
        let sent = (0..<200).count { limit.take(account: "property", contact: "fam-b", at: .milliseconds(Int64($0) * 5)) == nil }
        #expect(sent == 3)
        #expect(limit.take(account: "other", contact: "fam-b", at: .minutes(9))?.spent == .contact)
        #expect(limit.take(account: "property", contact: "fam-b", at: .minutes(11)) == nil)
    }

    @Test func `an account and a site have a limit over all contacts, and nothing is kept of what is refused`() {
        var limit = TestLimit()
        var sent = 0
        for number in 0..<500 where limit.take(account: "a-\(number / 50)", contact: ContactID("c-\(number)"), at: .seconds(Int64(number) / 10)) == nil {
            sent += 1
        }
        #expect(sent == TestLimit.mostOfSite)
        #expect(limit.take(account: "a-0", contact: "new", at: .minutes(5))?.spent == .account)
        #expect(limit.take(account: "fresh", contact: "new", at: .minutes(5))?.spent == .site)
    }
}
