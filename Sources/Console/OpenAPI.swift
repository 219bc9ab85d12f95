/// The OpenAPI 3.1 document of the API, made from one table so that it cannot drift apart in form.
enum OpenAPI {
    private struct Operation {
        var method: String
        var path: String
        var summary: String
        var query: [String] = []
        var body: String?
        var answer: String
    }

    private static let operations: [Operation] = [
        .init(method: "get", path: "/healthz", summary: "Whether the process lives", answer: "Health"),
        .init(method: "get", path: "/readyz", summary: "Whether it does its work, with reasons", answer: "Health"),
        .init(method: "get", path: "/api/v1/meters", summary: "All meters", answer: "MeterList"),
        .init(
            method: "get", path: "/api/v1/meters/{id}/readings", summary: "A meter's readings, with quality and raw words",
            query: ["from", "to", "every", "point", "limit", "cursor"], answer: "ReadingList"),
        .init(method: "get", path: "/api/v1/households", summary: "Homes with their state and its reasons", answer: "HouseholdList"),
        .init(method: "get", path: "/api/v1/households/{id}", summary: "One home", answer: "Household"),
        .init(method: "put", path: "/api/v1/households/{id}/presence", summary: "Enter or end away, hospital, visitors", body: "Presence", answer: "Household"),
        .init(method: "get", path: "/api/v1/elevators", summary: "Elevators as they stand", answer: "ElevatorList"),
        .init(
            method: "get", path: "/api/v1/elevators/{id}/boarding", summary: "What was asked of its door, and on what evidence", query: ["from", "to"],
            answer: "BoardingList"),
        .init(method: "post", path: "/api/v1/elevators/{id}/release", summary: "Release a held door", body: "Act", answer: "Released"),
        .init(
            method: "get", path: "/api/v1/cases", summary: "Cases: open alarms, open attentions, then closed ones; newest first each",
            query: ["state", "severity", "limit", "cursor"], answer: "CaseList"),
        .init(method: "get", path: "/api/v1/cases/{id}", summary: "One case", answer: "Case"),
        .init(method: "post", path: "/api/v1/cases/{id}/accept", summary: "I am going", body: "Act", answer: "Case"),
        .init(method: "post", path: "/api/v1/cases/{id}/arrived", summary: "I am there", body: "Act", answer: "Case"),
        .init(method: "post", path: "/api/v1/cases/{id}/outcome", summary: "What was found", body: "Act", answer: "Case"),
        .init(method: "post", path: "/api/v1/cases/{id}/hand_back", summary: "Somebody else must go", body: "Act", answer: "Case"),
        .init(method: "get", path: "/api/v1/quality", summary: "Completeness, compliance, timeliness", query: ["from", "to"], answer: "Quality"),
        .init(method: "get", path: "/api/v1/events", summary: "Server-sent events: home, case, elevator, finding", answer: "Events"),
        .init(method: "get", path: "/api/v1/channels", summary: "Ways of telling, and how they do", answer: "ChannelList"),
        .init(method: "post", path: "/api/v1/channels/{id}/test", summary: "Send a test message, at once", body: "ChannelTest", answer: "ChannelTested"),
        .init(method: "get", path: "/api/v1/notices", summary: "Notices that were given up", answer: "NoticeList"),
        .init(method: "post", path: "/api/v1/notices/{id}/retry", summary: "Try one of them again", answer: "Notice"),
        .init(method: "get", path: "/api/v1/corrections", summary: "Requests to correct readings, newest first", answer: "CorrectionList"),
        .init(method: "post", path: "/api/v1/meters/{id}/corrections", summary: "Dispute readings", body: "CorrectionRequest", answer: "Correction"),
        .init(method: "post", path: "/api/v1/corrections/{id}", summary: "Decide a request", body: "Decision", answer: "Correction"),
        .init(method: "get", path: "/api/v1/statistics", summary: "Alerts, outcomes and times by month", query: ["from", "to"], answer: "StatisticsList"),
        .init(method: "get", path: "/api/v1/audit", summary: "Who saw or changed what", query: ["cursor"], answer: "AuditList"),
    ]

    /// Field types by schema: s string, n number or null, i integer, b boolean, t time or null, o object, a array; a
    /// question mark allows null.
    private static let schemas: KeyValuePairs<String, KeyValuePairs<String, String>> = [
        "Health": ["status": "s"],
        "Meter": [
            "id": "s", "bus": "s", "unit": "i", "profile": "s", "household": "s?", "state": "s", "last_read_at": "t?", "last_quality": "s?",
            "volume_litres": "n?", "resolution_litres": "n", "covered_by": "a",
        ],
        "Reading": ["at": "t", "received_at": "t", "device_at": "t?", "point": "s", "value": "n?", "unit": "s", "quality": "s", "raw": "a"],
        "Household": [
            "id": "s", "name": "s?", "address": "s?", "meter": "s?", "state": "s", "since": "t?", "last_use_at": "t?", "first_use_today_at": "t?",
            "next_sign_expected_by": "t?", "reasons": "a", "presence": "o?", "armed": "b", "open_case": "s?",
        ],
        "Boarding": [
            "at": "t", "what": "s", "reason": "s?", "command": "s?", "frames": "i", "confidence": "n", "held_ms": "i", "by": "s?",
        ],
        "Presence": ["kind": "s", "until": "t?", "by": "s", "note": "s"],
        "Elevator": [
            "id": "s", "online": "b", "boarding": "s", "service_mode": "s", "motion": "s", "floor": "s?", "door": "s", "door_zone": "b?", "status_at": "t?",
            "hold": "o?", "cool_down_until": "t?", "open_case": "s?",
        ],
        "Released": ["id": "s", "result": "s"],
        "Act": ["by": "s", "note": "s", "code": "s", "until": "t?"],
        "Case": [
            "id": "s", "kind": "s", "severity": "s", "subject": "o", "stage": "s", "opened_at": "t", "accepted_at": "t?", "accepted_by": "s?",
            "arrived_at": "t?", "sign_of_life_at": "t?", "closed_at": "t?", "outcome": "s?", "note": "s", "ladder": "a", "findings": "a", "notices": "a",
            "links": "a",
        ],
        "Quality": ["from": "t", "to": "t", "site": "o", "buses": "o", "meters": "o", "days": "o"],
        "Channel": ["id": "s", "kind": "s", "sent": "i", "failed": "i", "dead": "i", "waiting": "i"],
        "ChannelTest": ["contact": "s"],
        "ChannelTested": ["id": "s", "result": "s", "why": "s?"],
        "Notice": ["id": "s", "case": "s", "channel": "s", "contact": "s?", "kind": "s", "state": "s", "attempts": "i", "created_at": "t", "why": "s?"],
        "CorrectionRequest": ["from": "t", "to": "t", "by": "s", "note": "s", "value": "n?"],
        "Correction": [
            "id": "i", "meter": "s", "from": "t", "to": "t", "by": "s?", "note": "s", "value": "n?", "state": "s", "at": "t", "decided_at": "t?",
            "decided_by": "s?", "decision": "s?",
        ],
        "Decision": ["state": "s", "by": "s", "note": "s"],
        "Statistics": [
            "month": "s", "kind": "s?", "opened": "i", "alarms": "i", "open": "i", "false_alarms": "i", "closed_itself": "i", "outcomes": "o",
            "accepted": "i", "accept_p50_s": "n?", "accept_p95_s": "n?", "arrived": "i", "arrive_p50_s": "n?", "arrive_p95_s": "n?",
        ],
        "Audit": ["id": "i", "at": "t", "who": "s", "what": "s", "subject": "s", "note": "s"],
        "Problem": ["type": "s", "title": "s", "status": "i", "detail": "s"],
    ]

    private static func type(_ code: String) -> JSON {
        let names: [Character: String] = ["s": "string", "n": "number", "i": "integer", "b": "boolean", "t": "string", "o": "object", "a": "array"]
        let name = JSON.string(names[code.first ?? "s"] ?? "string")
        var members: [JSON.Member] = [.init(key: "type", value: code.hasSuffix("?") ? .array([name, "null"]) : name)]
        if code.hasPrefix("t") { members.append(.init(key: "format", value: "date-time")) }
        if code.hasPrefix("a") { members.append(.init(key: "items", value: .object([]))) }
        return .object(members)
    }

    private static func reference(_ name: String) -> JSON { .of(["$ref": .string("#/components/schemas/\(name)")]) }

    private static func operation(_ item: Operation) -> JSON {
        var parameters: [JSON] = []
        if item.path.contains("{id}") {
            parameters.append(.of(["name": "id", "in": "path", "required": .bool(true), "schema": .of(["type": "string"])]))
        }
        parameters += item.query.map { .of(["name": .string($0), "in": "query", "schema": .of(["type": "string"])]) }
        let media = item.answer == "Events" ? "text/event-stream" : "application/json"
        let schema: JSON = item.answer == "Events" ? .of(["type": "string"]) : reference(item.answer)
        var members: [JSON.Member] = [
            .init(key: "summary", value: .string(item.summary)), .init(key: "parameters", value: .array(parameters)),
        ]
        if let body = item.body {
            members.append(.init(key: "requestBody", value: .of(["content": .of(["application/json": .of(["schema": reference(body)])])])))
        }
        let problem = JSON.of(["description": "A problem (RFC 9457)", "content": .of(["application/problem+json": .of(["schema": reference("Problem")])])])
        let good = JSON.of(["description": .string(item.summary), "content": .object([.init(key: media, value: .of(["schema": schema]))])])
        members.append(.init(key: "responses", value: .of(["200": good, "default": problem])))
        return .object(members)
    }

    /// The document.
    static let document: JSON = {
        var paths: [JSON.Member] = []
        for path in operations.map(\.path).reduce(into: [String](), { if !$0.contains($1) { $0.append($1) } }) {
            let methods = operations.filter { $0.path == path }.map { JSON.Member(key: $0.method, value: operation($0)) }
            paths.append(.init(key: path, value: .object(methods)))
        }
        var components: [JSON.Member] = schemas.map { name, fields in
            .init(
                key: name,
                value: .of([
                    "type": "object", "properties": .object(fields.map { .init(key: $0.key, value: type($0.value)) }),
                ]))
        }
        for name in ["Meter", "Reading", "Household", "Elevator", "Boarding", "Case", "Channel", "Notice", "Correction", "Statistics", "Audit"] {
            components.append(
                .init(
                    key: "\(name)List",
                    value: .of([
                        "type": "object", "properties": .of(["items": .of(["type": "array", "items": reference(name)]), "next": type("s?")]),
                    ])))
        }
        return .of([
            "openapi": "3.1.0",
            "info": .of(["title": "Wellward gateway", "version": "1", "license": .of(["name": "Apache-2.0", "identifier": "Apache-2.0"])]),
            "paths": .object(paths),
            "components": .of([
                "schemas": .object(components),
                "securitySchemes": .of(["bearer": .of(["type": "http", "scheme": "bearer"])]),
            ]),
            "security": .array([.of(["bearer": .array([])]), .object([])]),
        ])
    }()
}

extension JSON: ExpressibleByStringLiteral {
    init(stringLiteral value: String) { self = .string(value) }
}
