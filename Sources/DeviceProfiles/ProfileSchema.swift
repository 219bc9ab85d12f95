import Telemetry

/// The JSON Schema of a meter profile, for editors that complete and check it while it is written.
public enum ProfileSchema {
    /// JSON Schema, draft 2020-12. The lists of words come from the types that read them.
    public static var json: String {
        let types = list(RegisterType.words)
        let units = list(MeasureUnit.allCases.map(\.rawValue))
        let roles = list(PointRole.allCases.map(\.rawValue))
        let rungs = list(TrustRung.allCases.map(\.rawValue))
        return """
            {
              "$schema": "https://json-schema.org/draft/2020-12/schema",
              "$id": "https://wellward.org/schema/meter-profile.json",
              "title": "Wellward meter profile",
              "type": "object",
              "additionalProperties": false,
              "required": ["kind", "id", "title", "address_base", "trust", "resolution_litres", "points"],
              "$defs": {
                "localized": {"type": "object", "additionalProperties": false, "required": ["zh-Hans", "en"], "properties": {"zh-Hans": {"type": "string"}, "en": {"type": "string"}}},
                "duration": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"},
                "order": {"type": "string", "pattern": "^([A-H]{2,8}|unknown)$", "examples": ["ABCD", "CDAB", "BADC", "DCBA"]},
                "word": {"type": ["integer", "string"]},
                "meaning": {"oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {"name": {"type": "string"}, "bad": {"type": "array", "items": {"type": "string"}}, "suspect": {"type": "array", "items": {"type": "string"}}}}]},
                "scale_from": {"type": "object", "properties": {\(field), "parameter": {"type": "string"}, "expression": {"type": "string", "pattern": "^10\\\\^(-?n|\\\\((n[-+][0-9]+|[0-9]+-n)\\\\))$", "examples": ["10^n", "10^(n-3)"]}, "values": {"type": "object"}}, "additionalProperties": false},
                "unit_from": {"type": "object", "properties": {\(field), "parameter": {"type": "string"}, "values": {"type": "object", "additionalProperties": {"enum": \(units)}}}, "additionalProperties": false},
                "term": {"type": "object", "additionalProperties": false, "required": ["address", "type"], "properties": {\(field), "unit": {"enum": \(units)}}},
                "point": {
                  "type": "object", "additionalProperties": false, "required": ["id"],
                  "properties": {
                    "id": {"type": "string"}, "role": {"enum": \(roles)}, "unit": {"enum": \(units)}, \(field),
                    "sum": {"type": "array", "items": {"$ref": "#/$defs/term"}, "minItems": 2},
                    "offset": {"type": "number"}, "scale_from": {"$ref": "#/$defs/scale_from"}, "unit_from": {"$ref": "#/$defs/unit_from"},
                    "sentinels": {"type": "array", "items": {"$ref": "#/$defs/word"}},
                    "limits": {"type": "object", "additionalProperties": false, "properties": {"min": {"type": "number"}, "max": {"type": "number"}}},
                    "bits": {"type": "object", "additionalProperties": {"$ref": "#/$defs/meaning"}}, "values": {"type": "object", "additionalProperties": {"$ref": "#/$defs/meaning"}},
                    "source": {"type": "string"}, "inferred": {"type": "boolean"}, "poll": {"type": "boolean"}
                  }
                }
              },
              "properties": {
                "kind": {"const": "meter"}, "id": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"}, "title": {"$ref": "#/$defs/localized"},
                "manufacturer": {"type": "string"}, "models": {"type": "array", "items": {"type": "string"}}, "document": {"type": "string"},
                "firmware_note": {"type": "string"}, "trust": {"enum": \(rungs)}, "requirements": {"$ref": "#/$defs/localized"},
                "serial": {"type": "object", "additionalProperties": false, "properties": {"baud": {"type": "integer"}, "parity": {"enum": ["none", "even", "odd"]}, "stop_bits": {"enum": [1, 2]}}},
                "function": {"enum": [3, 4]}, "address_base": {"enum": [0, 1]}, "max_registers_per_read": {"type": "integer", "minimum": 1, "maximum": 125},
                "coalesce": {"type": "boolean"}, "largest_gap": {"type": "integer", "minimum": 0, "maximum": 124},
                "blocks": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["address", "count"], "properties": {"address": {"type": "integer"}, "count": {"type": "integer"}, "function": {"enum": [3, 4]}}}},
                "timing": {"type": "object", "additionalProperties": false, "properties": {"turnaround": {"$ref": "#/$defs/duration"}, "pause_after_connect": {"$ref": "#/$defs/duration"}, "retries": {"type": "integer", "minimum": 0, "maximum": 10}, "discard_first": {"type": "boolean"}, "sleep_after": {"$ref": "#/$defs/duration"}}},
                "resolution_litres": {"type": "number", "exclusiveMinimum": 0}, "rollover_litres": {"type": "number", "exclusiveMinimum": 0},
                "points": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/point"}},
                "history": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["period", "count", "unit", "address", "type"], "properties": {"period": {"enum": ["hourly", "daily"]}, "count": {"type": "integer"}, "newest_first": {"type": "boolean"}, "unit": {"enum": \(units)}, "source": {"type": "string"}, "inferred": {"type": "boolean"}, \(field)}}},
                "fingerprint": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["address", "type"], "properties": {\(field), "equals": {"type": "number"}, "min": {"type": "number"}, "max": {"type": "number"}}}},
                "danger": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["address", "why"], "properties": {"address": {"type": "integer"}, "count": {"type": "integer"}, "why": {"type": "string"}}}},
                "golden": {"type": "array", "items": {"type": "object", "additionalProperties": false, "required": ["request", "response", "source"], "properties": {"request": {"type": "string"}, "response": {"type": "string"}, "expect": {"type": "object"}, "real": {"type": "boolean"}, "source": {"type": "string"}}}}
              }
            }
            """.replacing("TYPES", with: types)
    }

    /// The keys of a field, in the schema's own syntax.
    private static let field = """
        "address": {"type": "integer", "minimum": 0, "maximum": 65536}, "type": {"enum": TYPES}, "registers": {"type": "integer", "minimum": 1, "maximum": 62}, \
        "order": {"$ref": "#/$defs/order"}, "scale": {"type": "number"}, "function": {"enum": [3, 4]}, "layout": {"type": "string"}, "bcd": {"type": "boolean"}, "per_register": {"type": "boolean"}
        """

    private static func list(_ words: [String]) -> String { "[" + words.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
}
