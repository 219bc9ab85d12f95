import Foundation
import Telemetry
import Testing

@testable import Watchkeeping

/// How long a link is good.
@Suite struct LinkSignerTests {
    private let now = WallTime(unixSeconds: 1_800_000_000)

    private func token(_ signer: LinkSigner, until: Interval, issued: Interval = .zero) -> String {
        signer.token(.init(caseID: "c-1", contact: "family", until: now + until, issuedAt: now + issued))
    }

    @Test func `a link is good for no longer than links may be, whatever stands in it`() {
        let signer = LinkSigner(secret: Data(repeating: 1, count: 32), validFor: .hours(24))
        let threeYears = token(signer, until: .days(1100))
        #expect(signer.grant(threeYears, now: now) != nil && signer.grant(threeYears, now: now + .hours(24)) != nil)
        #expect(signer.grant(threeYears, now: now + .hours(24) + .seconds(1)) == nil)
        // One that says it is to be made in a year is good at no time before.
        let later = token(signer, until: .days(1100), issued: .days(365))
        #expect(signer.grant(later, now: now) == nil)
        if case .over = signer.read(later, now: now) {} else { Issue.record("it was signed here") }
        // A shorter life than allowed is its own.
        #expect(signer.grant(token(signer, until: .hours(1)), now: now + .hours(2)) == nil)
        // A clock that was a little ahead costs nobody a link.
        #expect(signer.grant(token(signer, until: .hours(24), issued: .minutes(30)), now: now) != nil)
    }

    @Test func `a former key opens only what it signed before it was put away, and nothing for longer than links may live`() {
        let old = LinkSigner(secret: Data(repeating: 1, count: 32), validFor: .hours(24))
        let signer = LinkSigner(secret: Data(repeating: 2, count: 32), former: (Data(repeating: 1, count: 32), now), validFor: .hours(24))
        let before = token(old, until: .hours(20), issued: .hours(-4))
        #expect(signer.grant(before, now: now) != nil)
        #expect(signer.read(token(old, until: .hours(24), issued: .seconds(1)), now: now + .hours(1)) == .strange, "forged with a key out of an old backup")
        #expect(signer.grant(token(old, until: .days(1100), issued: .seconds(-1)), now: now + .hours(25)) == nil)
        #expect(old.grant(token(signer, until: .hours(1)), now: now) == nil, "and it signs nothing any more")
    }
}
