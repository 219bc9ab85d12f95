import Synchronization
import TestSupport
import Testing

@testable import Console

/// Who gives way when connections run short.
@Suite struct ConnectionPlacesTests {
    private typealias Places = ConnectionPlaces<Int>

    @Test func `strangers who wait give way to newcomers, the oldest of the same address first`() {
        var places = Places()
        var gone: [Int] = []
        for id in 0..<1000 { gone += places.arrive(id, from: "a") }
        #expect(gone == Array(0..<(1000 - Places.mostStrangersOfAddress)) && places.count == Places.mostStrangersOfAddress)
        // From ever new addresses.
        for id in 1000..<3000 { gone += places.arrive(id, from: "\(id)") }
        #expect(places.count == Places.mostStrangers && !gone.contains(2999))
    }

    @Test func `whatever strangers do, links and people who have signed in keep their places and get new ones`() {
        var places = Places()
        for id in 0..<20 {
            _ = places.arrive(id, from: "home")
            let gone = places.identify(id, as: id % 2 == 0 ? .account("wang\(id)") : .link("family\(id)"))
            #expect(gone.isEmpty)
        }
        var gone: [Int] = []
        for id in 100..<10_000 {
            gone += places.arrive(id, from: "\(id % 300)")
            // Some are being answered for a while.
            if id % 3 == 0 { places.begin(id) }
            if id % 3 == 0 { places.end(id - 30) }
        }
        #expect(gone.allSatisfy { $0 >= 100 })
        // One more relative, from the flood's own address.
        let refused = places.arrive(20_000, from: "1") + places.identify(20_000, as: .link("daughter"))
        #expect(!refused.contains(20_000))
    }

    @Test func `a stranger who is being answered is not hung up on for one who only waits`() {
        var places = Places()
        for id in 0..<Places.mostStrangersOfAddress {
            _ = places.arrive(id, from: "a")
            places.begin(id)
        }
        #expect(places.arrive(500, from: "a") == [500], "all others are at work")
        places.end(7)
        #expect(places.arrive(501, from: "a") == [7])
    }

    @Test func `one account and one link have only so many places, and there is always room in all`() {
        var places = Places()
        var id = 0
        for account in 0..<20 {
            for _ in 0..<100 {
                id += 1
                _ = places.arrive(id, from: "\(account)")
                _ = places.identify(id, as: .account("a\(account)"))
            }
        }
        #expect(places.count <= Places.most)
        let gone = places.arrive(100_000, from: "b") + places.identify(100_000, as: .link("x"))
        #expect(!gone.contains(100_000) && places.count <= Places.most)
        var links = Places()
        for id in 0..<50 {
            _ = links.arrive(id, from: "c")
            _ = links.identify(id, as: .link("x"))
        }
        #expect(links.count == Places.mostOfLink)
    }

    private final class Door: Sendable {
        let isOpen = Mutex(false)
    }

    @Test func `a gate lets so many work, so many wait, and gives one account only its share`() async throws {
        let gate = RequestGate(workers: 2, waiting: 3, share: 4)
        let door = Door()
        let passed = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    (try? await gate.pass(number < 10 ? "greedy" : "other") {
                        try await eventually { door.isOpen.withLock { $0 } }
                        return true
                    }) ?? false
                }
            }
            var results: [Bool] = []
            for await result in group {
                results.append(result)
                if results.count == 15 { door.isOpen.withLock { $0 = true } }
            }
            return results
        }
        #expect(passed.count(where: { $0 }) == 5 && passed.prefix(15).allSatisfy { !$0 })
        #expect(try await gate.pass("greedy") { 7 } == 7)
    }

    @Test func `lines that are left out are counted`() {
        var limit = LogLimit(most: 2)
        let first = (0..<10).map { limit.admit(at: $0) }
        #expect(first == [0, 0] + Array(repeating: nil, count: 8))
        let later = limit.admit(at: 60_000)
        #expect(later == 8)
    }
}
