import Documents
import SiteConfiguration
import Telemetry
import TestSupport
import Testing

/// What names something may stand in topics, paths and JSON, wherever it was written.
@Suite struct IdentifierRuleTests {
    private func errors(_ text: String, _ tables: [String: String] = [:]) -> [DocumentIssue] {
        ConfigurationTests().read(text, extra: tables).issues.filter { $0.severity == .error }
    }

    @Test func `two lifts with one address are refused wherever they stand in the list`() {
        let lifts = """
            elevators:
              - {id: lift-1, address: a}
              - {id: lift-2, address: b}
              - {id: lift-3, address: a}
              - {id: b}
            """
        let text = ConfigurationTests.good.replacing("elevators:\n  - {id: lift-1, boarding: hold, signed_by: 维保, signed_on: 2026-01-01}", with: lifts)
        let found = errors(text).filter { $0.key.hasSuffix("address") }
        #expect(found.count == 2 && found.contains { $0.problem.english.contains("`lift-1`") } && found.contains { $0.problem.english.contains("`lift-2`") })
    }

    @Test(arguments: ["wm\"3", "WM 3", "../x", "a/b", "水表"]) func `a table names nothing that could not stand in a topic`(id: String) {
        let meters = "id,bus,unit,profile\n\"\(id.replacing("\"", with: "\"\""))\",net,20,tuf-2000m\n"
        #expect(
            errors(ConfigurationTests.good + "\nmeters_file: m.csv\n", ["/site/m.csv": meters]).contains {
                $0.key.hasSuffix("id") && $0.file.hasSuffix("m.csv")
            })
        let homes = "id,meter\n\"\(id.replacing("\"", with: "\"\""))\",\n"
        #expect(
            errors(ConfigurationTests.good + "\nhouseholds_file: h.csv\n", ["/site/h.csv": homes]).contains {
                $0.key.hasSuffix("id") && $0.file.hasSuffix("h.csv")
            })
    }

    @Test(arguments: ["a b", "x/y", "\\\"q"]) func `nor does a source of events, or a parameter`(id: String) {
        let events = "\nevents:\n  - {id: \"\(id)\", topic: t}\n"
        #expect(errors(ConfigurationTests.good + events).contains { $0.key.hasSuffix("id") })
        let text = ConfigurationTests.good.replacing(
            "unit: 17, profile: tuf-2000m, poll: 5m}", with: "unit: 17, profile: tuf-2000m, poll: 5m, parameters: {\"\(id)\": 1}}")
        #expect(errors(text).contains { $0.problem.english.contains("is not an identifier") })
    }
}
