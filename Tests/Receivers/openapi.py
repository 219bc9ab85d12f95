"""Checks an OpenAPI document with openapi-spec-validator.

Usage: openapi.py OUTPUT DOCUMENT    prints "ready 0"; a fault becomes a JSON line in OUTPUT
"""

import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

with open(sys.argv[2], encoding="utf-8") as file:
    document = json.load(file)
with open(sys.argv[1], "w", encoding="utf-8") as output:
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        output.write(json.dumps({"fault": str(error.message)[:300]}) + "\n")
print("ready 0", flush=True)
