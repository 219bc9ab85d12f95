/// The JSON Schema of `wellward.yaml`, for editors that complete and check it while it is written.
public enum ConfigurationSchema {
    /// JSON Schema, draft 2020-12.
    public static let text = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "https://wellward.org/schema/wellward.json",
          "title": "Wellward gateway configuration, version 1",
          "type": "object",
          "additionalProperties": false,
          "required": ["site"],
          "$defs": {
            "id": {"type": "string", "pattern": "^[a-z0-9_-]{1,40}$"},
            "duration": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$", "examples": ["500ms", "20s", "15m", "12h", "2d"]},
            "rate": {"type": "string", "pattern": "^[0-9.]+(/(week|month|year))?$", "examples": ["0.5/month"]},
            "strings": {"type": "array", "items": {"type": "string"}},
            "role": {"enum": ["resident", "family", "volunteer", "grid_worker", "committee", "station", "town", "district", "property", "technician", "maintenance"]},
            "step": {
              "type": "object", "additionalProperties": false, "required": ["after", "notify"],
              "properties": {
                "after": {"$ref": "#/$defs/duration"},
                "notify": {"type": "array", "items": {"$ref": "#/$defs/role"}, "minItems": 1},
                "accept_within": {"$ref": "#/$defs/duration"}, "arrive_within": {"$ref": "#/$defs/duration"}, "outcome_within": {"$ref": "#/$defs/duration"}
              }
            },
            "ladder": {
              "oneOf": [
                {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1},
                {"type": "object", "additionalProperties": false, "required": ["steps"],
                 "properties": {"repeat": {"$ref": "#/$defs/duration"}, "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}}}
              ]
            }
          },
          "properties": {
            "site": {
              "type": "object", "additionalProperties": false, "required": ["id"],
              "properties": {"id": {"$ref": "#/$defs/id"}, "name": {"type": "string"}, "timezone": {"type": "string", "default": "Asia/Shanghai"}}
            },
            "language": {"enum": ["zh-Hans", "en"], "default": "zh-Hans"},
            "storage": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "path": {"type": "string"}, "retain_readings": {"$ref": "#/$defs/duration"}, "commit_every": {"$ref": "#/$defs/duration"},
                "seal_after": {"$ref": "#/$defs/duration"}, "size_cap": {"type": "string", "pattern": "^[0-9]+(kB|MB|GB)$", "default": "4GB"},
                "retain_cases": {"$ref": "#/$defs/duration"}, "retain_journal": {"$ref": "#/$defs/duration"},
                "thin": {"type": "object", "additionalProperties": false, "required": ["after"],
                         "properties": {"after": {"$ref": "#/$defs/duration"}, "every": {"$ref": "#/$defs/duration"}}}
              }
            },
            "console": {
              "type": "object", "additionalProperties": false,
              "properties": {"listen": {"type": "string", "default": "127.0.0.1:8080"}, "users_file": {"type": "string"},
                             "open": {"type": "boolean", "default": false, "description": "without users_file: everybody on this machine is admin"},
                             "public_url": {"type": "string"}}
            },
            "mqtt": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "host": {"type": "string", "default": "127.0.0.1"}, "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "username": {"type": "string"}, "password_file": {"type": "string"},
                "tls": {"type": "object", "additionalProperties": false,
                        "properties": {"ca_file": {"type": "string"}, "certificate_file": {"type": "string"}, "key_file": {"type": "string"}}}
              }
            },
            "upstream": {
              "type": "object", "additionalProperties": false,
              "properties": {
                "kind": {"enum": ["mqtt"]}, "host": {"type": "string"}, "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "username": {"type": "string"}, "password_file": {"type": "string"}, "topic": {"type": "string", "default": "wellward/v1/upstream"},
                "max_bytes": {"type": "string", "pattern": "^[0-9]+(kB|MB|GB)$", "default": "200MB"}, "max_age": {"$ref": "#/$defs/duration"}, "deflate": {"type": "boolean"},
                "tls": {"type": "object", "additionalProperties": false,
                        "properties": {"ca_file": {"type": "string"}, "certificate_file": {"type": "string"}, "key_file": {"type": "string"}}}
              }
            },
            "drill": {
              "type": "object", "additionalProperties": false,
              "properties": {"day": {"type": "integer", "minimum": 1, "maximum": 28, "default": 1}, "at": {"type": "string", "pattern": "^[0-9]{1,2}:[0-9]{2}$", "default": "10:00"}}
            },
            "events": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id", "topic"],
                "properties": {
                  "id": {"type": "string"}, "topic": {"type": "string"}, "text": {"type": "string"}, "subject": {"type": "string"}, "match": {"type": "string"},
                  "when": {"$ref": "#/$defs/strings"}, "clears": {"$ref": "#/$defs/strings"}, "severity": {"enum": ["attention", "alarm"]}, "ladder": {"type": "string"},
                  "title": {"type": "object", "additionalProperties": false, "properties": {"zh-Hans": {"type": "string"}, "en": {"type": "string"}}}
                }
              }
            },
            "profiles": {"$ref": "#/$defs/strings"},
            "buses": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id", "transport"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "transport": {"enum": ["rtu", "tcp", "rtu-over-tcp"]}, "device": {"type": "string"},
                  "baud": {"type": "integer", "default": 9600}, "parity": {"enum": ["none", "even", "odd"]}, "stop_bits": {"enum": [1, 2]},
                  "host": {"type": "string"}, "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                  "response_timeout": {"$ref": "#/$defs/duration"}, "between_requests": {"$ref": "#/$defs/duration"},
                  "close_after_round": {"type": "boolean", "default": false}
                }
              }
            },
            "meters": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id", "bus", "unit", "profile"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "bus": {"$ref": "#/$defs/id"}, "unit": {"type": "integer", "minimum": 0, "maximum": 255},
                  "profile": {"$ref": "#/$defs/id"}, "poll": {"$ref": "#/$defs/duration"}, "parameters": {"type": "object"}, "disabled": {"type": "boolean"}
                }
              }
            },
            "meters_file": {"type": "string"},
            "households": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "name": {"type": "string"}, "address": {"type": "string"}, "meter": {"$ref": "#/$defs/id"},
                  "lives_alone": {"type": "boolean"}, "policy": {"type": "string"}, "grid": {"type": "string"}, "contacts": {"$ref": "#/$defs/strings"},
                  "consent": {"type": "object", "additionalProperties": false, "required": ["given"], "properties": {"given": {"type": "string"}, "by": {"type": "string"}}}
                }
              }
            },
            "households_file": {"type": "string"},
            "policies": {
              "type": "object",
              "additionalProperties": {
                "type": "object", "additionalProperties": false,
                "properties": {
                  "volume_rule": {
                    "type": ["object", "null"], "additionalProperties": false,
                    "properties": {"below_litres": {"type": "number"}, "within": {"$ref": "#/$defs/duration"}, "when": {"enum": ["learning", "always"]}, "severity": {"enum": ["attention", "alarm"]}}
                  },
                  "longest_silence": {"$ref": "#/$defs/duration"}, "false_alarm_budget": {"$ref": "#/$defs/rate"}, "attention_budget": {"$ref": "#/$defs/rate"},
                  "continuous_flow": {"$ref": "#/$defs/duration"}, "daily_ceiling_litres": {"type": "number"}, "no_data": {"$ref": "#/$defs/duration"}, "personal": {"type": "boolean"}
                }
              }
            },
            "elevators": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "profile": {"$ref": "#/$defs/id"}, "address": {"type": "string"}, "boarding": {"enum": ["alarm", "hold"], "default": "alarm"},
                  "served_floors": {"$ref": "#/$defs/strings"},
                  "confirm": {"type": "object", "additionalProperties": false,
                              "properties": {"within": {"$ref": "#/$defs/duration"}, "frames": {"type": "integer", "minimum": 2}, "confidence": {"type": "number", "minimum": 0.3, "maximum": 1}}},
                  "lease": {"$ref": "#/$defs/duration"}, "longest_hold": {"$ref": "#/$defs/duration"}, "clear_after": {"$ref": "#/$defs/duration"}, "cool_down": {"$ref": "#/$defs/duration"},
                  "contacts": {"$ref": "#/$defs/strings"}, "signed_by": {"type": "string"}, "signed_on": {"type": "string"}
                }
              }
            },
            "contacts": {
              "type": "array",
              "items": {
                "type": "object", "additionalProperties": false, "required": ["id", "role"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "name": {"type": "string"}, "role": {"$ref": "#/$defs/role"}, "grids": {"$ref": "#/$defs/strings"},
                  "elevators": {"$ref": "#/$defs/strings"}, "channels": {"$ref": "#/$defs/strings"}, "phone": {"type": "string"}, "email": {"type": "string"},
                  "language": {"enum": ["zh-Hans", "en"]}, "on_duty": {"$ref": "#/$defs/strings"}, "quiet_hours": {"type": "string"}, "substitute": {"$ref": "#/$defs/id"}
                }
              }
            },
            "channels": {
              "type": "array",
              "items": {
                "type": "object", "required": ["id", "kind"],
                "properties": {
                  "id": {"$ref": "#/$defs/id"}, "kind": {"enum": ["wecom", "dingtalk", "feishu", "webhook", "smtp", "ntfy", "mqtt", "file"]},
                  "names": {"type": "boolean"}, "path": {"type": "string"}, "url": {"type": "string"}, "url_file": {"type": "string"}, "secret_file": {"type": "string"},
                  "keyword": {"type": "string", "maxLength": 40},
                  "topic": {"type": "string"}, "server": {"type": "string"}, "token_file": {"type": "string"}, "host": {"type": "string"}, "port": {"type": "integer"},
                  "tls": {"enum": ["starttls", "tls", "none", true, false]}, "ca_file": {"type": "string"}, "username": {"type": "string"}, "password_file": {"type": "string"}, "from": {"type": "string"}
                },
                "additionalProperties": false
              }
            },
            "ladders": {"type": "object", "additionalProperties": {"$ref": "#/$defs/ladder"}},
            "links": {"type": "object", "additionalProperties": false, "properties": {"valid_for": {"$ref": "#/$defs/duration"}, "secret_file": {"type": "string"}}},
            "heartbeat": {"type": "object", "additionalProperties": false, "required": ["url_file"], "properties": {"url_file": {"type": "string"}, "every": {"$ref": "#/$defs/duration"}}}
          }
        }
        """
}
