import Hummingbird
import GRDB
import GRDBSQLite
import AsyncHTTPClient
import Crypto
import Mustache
import Yams
print("hi")
