// swift-tools-version: 6.2
// Wellward: the gateway in the meter room. The order of the targets below is the order of the house:
// a target imports only targets that stand above it.
import PackageDescription

/// CI and the Makefile build our own targets with warnings as errors; a packager's newer compiler need not.
let strict: [SwiftSetting] =
    Context.environment["WELLWARD_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

/// What the program says it was built from; WELLWARD_BUILD for a packager without a clone.
let build =
    Context.environment["WELLWARD_BUILD"] ?? Context.gitInformation.map { "g\($0.currentCommit.prefix(9))\($0.hasUncommittedChanges ? ".changed" : "")" }
    ?? "unknown"

func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "wellward",
    products: [.executable(name: "wellward", targets: ["wellward"])],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The rehearsal's queue of what is due next; the web server uses it already.
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        // For tests: HTTP's bytes are read by the web server's own parts, without a socket.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.20.0"),
    ],
    targets: [
        core("Phrasebook"),
        core("Telemetry", ["Phrasebook"]),
        core("Documents", ["Telemetry", "Phrasebook", yams]),
        core("DeviceProfiles", ["Telemetry", "Phrasebook", "Documents"]),
        core("Safeguarding", ["Telemetry", "Phrasebook"]),
        core("BoardingControl", ["Telemetry", "Phrasebook"]),
        core("Casework", ["Telemetry", "Phrasebook", .product(name: "HeapModule", package: "swift-collections")]),
        core("Neighbourhood", ["Telemetry", "Phrasebook", "Safeguarding", "Casework"]),
        core(
            "SiteConfiguration",
            [
                "Telemetry", "Phrasebook", "Documents", "DeviceProfiles", "Safeguarding", "BoardingControl", "Casework",
            ]),
        .systemLibrary(name: "CModbus", pkgConfig: "libmodbus", providers: [.apt(["libmodbus-dev"])]),
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CTimex"),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        core("Threads"),
        core("Fieldbus", ["CModbus", "Telemetry", "Phrasebook", "DeviceProfiles", "Threads"]),
        core("Messaging", ["CMosquitto", "Telemetry", "Threads"]),
        core("TimeSeriesStore", ["Telemetry", "Phrasebook", "Casework", grdb, sqlite, crypto]),
        core(
            "Simulation",
            [
                "Telemetry", "DeviceProfiles", "BoardingControl", "Threads", "Messaging",
            ]),
        core(
            "Notifiers",
            [
                "CCurl", "Telemetry", "Phrasebook", "Casework", "Messaging", "Threads", httpClient, crypto,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOFoundationCompat", package: "swift-nio"),
            ]),
        core(
            "Watchkeeping",
            [
                "CTimex", "CZlib", "Telemetry", "Phrasebook", "DeviceProfiles", "Safeguarding", "BoardingControl", "Casework", "Neighbourhood",
                "SiteConfiguration", "Threads", "Fieldbus", "Messaging", "TimeSeriesStore", "Notifiers", logging, crypto,
            ]),
        .target(
            name: "Console",
            dependencies: [
                "Telemetry", "Phrasebook", "Documents", "Safeguarding", "BoardingControl", "Casework", "Neighbourhood",
                "SiteConfiguration", "Threads", "TimeSeriesStore", "Watchkeeping", hummingbird, mustache, lifecycle, crypto,
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            resources: [
                "head.mustache", "foot.mustache", "overview.mustache", "home.mustache", "case.mustache", "cases.mustache",
                "elevators.mustache", "devices.mustache", "statistics.mustache", "people.mustache", "quality.mustache", "audit.mustache", "login.mustache",
                "problem.mustache", "style.css", "script.js",
            ].map { .embedInCode("Pages/\($0)") },
            swiftSettings: strict),
        core(
            "Gateway",
            [
                "Telemetry", "Phrasebook", "Documents", "DeviceProfiles", "Safeguarding", "BoardingControl", "Casework",
                "Neighbourhood", "SiteConfiguration", "Threads", "TimeSeriesStore", "Messaging", "Notifiers", "Watchkeeping", "Console",
                httpClient, .product(name: "NIOSSL", package: "swift-nio-ssl"), logging, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        core("Evaluation", ["BoardingControl", "Simulation", "Telemetry", "Phrasebook", "Safeguarding", "Neighbourhood"]),
        core(
            "Rehearsal",
            [
                "Telemetry", "Phrasebook", "Safeguarding", "BoardingControl", "Casework", "Neighbourhood", "Fieldbus", "Simulation",
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        core(
            "Demonstration",
            [
                "Telemetry", "DeviceProfiles", "Safeguarding", "Simulation", "SiteConfiguration", "TimeSeriesStore", "Messaging",
                "Watchkeeping", "Gateway", logging, lifecycle,
            ]),
        .target(name: "CBuild", cSettings: [.define("WELLWARD_BUILD", to: "\"\(build)\"")]),
        .executableTarget(
            name: "wellward",
            dependencies: [
                "CBuild",
                "Telemetry", "Documents", "DeviceProfiles", "Safeguarding", "SiteConfiguration", "Fieldbus", "Simulation", "Rehearsal",
                "TimeSeriesStore", "Watchkeeping", "Console", "Gateway", "Demonstration", "Evaluation", "Messaging", "BoardingControl", "Phrasebook", arguments,
                logging, lifecycle, httpClient,
            ],
            swiftSettings: strict),
        .target(
            name: "CBaseline", linkerSettings: [.linkedLibrary("modbus"), .linkedLibrary("mosquitto"), .linkedLibrary("sqlite3"), .linkedLibrary("pthread")]),
        .executableTarget(
            name: "wellward-bench",
            dependencies: [
                "CBaseline", "Telemetry", "DeviceProfiles", "Safeguarding", "Casework", "Fieldbus", "Simulation", "TimeSeriesStore", "Messaging",
                "Watchkeeping", "Gateway", "Demonstration", "Evaluation", "TestSupport", "Garbage", httpClient,
            ],
            swiftSettings: strict),
        .target(
            name: "TestSupport", dependencies: ["Telemetry", "Phrasebook", "Documents", "DeviceProfiles", "SiteConfiguration", "Gateway", logging],
            path: "Tests/TestSupport", swiftSettings: strict),
        .target(name: "ScriptedPeers", dependencies: ["Threads"], path: "Tests/ScriptedPeers", swiftSettings: strict),
        .target(
            name: "Garbage",
            dependencies: [
                "Telemetry", "Phrasebook", "DeviceProfiles", "Fieldbus", "Safeguarding", "BoardingControl", "SiteConfiguration", "Simulation",
                "TimeSeriesStore", "Notifiers",
                "Watchkeeping", "Console", "Evaluation", "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            path: "Tests/Garbage", swiftSettings: strict),
        tests("TelemetryTests", ["Telemetry", "Phrasebook", "Simulation"]),
        tests("DeviceProfilesTests", ["Telemetry", "DeviceProfiles", "Simulation", "TestSupport"]),
        tests("SafeguardingTests", ["Telemetry", "Safeguarding", "Simulation"]),
        tests("BoardingControlTests", ["Simulation", "SiteConfiguration", "Phrasebook", "TestSupport", "Telemetry", "BoardingControl"]),
        tests("CaseworkTests", ["Simulation", "Telemetry", "Phrasebook", "Casework"]),
        tests("RehearsalTests", ["Telemetry", "Rehearsal"]),
        tests("EvaluationTests", ["Telemetry", "Phrasebook", "Safeguarding", "Simulation", "Evaluation"]),
        tests("NeighbourhoodTests", ["Simulation", "Telemetry", "Phrasebook", "Safeguarding", "Casework", "Neighbourhood"]),
        tests("SiteConfigurationTests", ["Telemetry", "Documents", "SiteConfiguration", "TestSupport"]),
        tests("FieldbusTests", ["ScriptedPeers", "CModbus", "Telemetry", "DeviceProfiles", "Fieldbus", "Simulation", "Threads", "TestSupport"]),
        tests("MessagingTests", ["ScriptedPeers", "Messaging", "Simulation", "Demonstration", "TestSupport"]),
        tests(
            "WatchkeepingTests",
            [
                "ScriptedPeers",
                "Telemetry", "Phrasebook", "SiteConfiguration", "Casework", "TimeSeriesStore", "Watchkeeping", "Gateway", "Simulation", "Demonstration",
                "TestSupport",
            ]),
        tests(
            "ConsoleTests",
            [
                "Console", "SiteConfiguration", "Threads", "TestSupport", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"), .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            ]),
        tests("NotifierTests", ["ScriptedPeers", "Telemetry", "Phrasebook", "Casework", "Messaging", "Notifiers", "TestSupport", httpClient]),
        tests("TimeSeriesStoreTests", ["Simulation", "Telemetry", "Phrasebook", "Casework", "TimeSeriesStore", grdb]),
        tests(
            "EndToEndTests",
            [
                "ScriptedPeers",
                "wellward", "TimeSeriesStore", "Telemetry", "Phrasebook", "Casework", "Safeguarding", "DeviceProfiles", "Messaging", "BoardingControl",
                "Simulation",
                "Demonstration", "TestSupport", "Garbage",
            ], exclude: ["Records"]),
    ]
)
