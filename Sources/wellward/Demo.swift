import ArgumentParser
import Demonstration
import Foundation
import Logging

/// `wellward demo`
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: Spoken.say("在这台机器上演示一个模拟小区。", "Show a whole simulated neighbourhood on this machine."),
        discussion: Spoken.say(
            "启动一个私有的mosquitto、TCP和伪终端上的Modbus水表、消息服务器上的电梯、网关和控制台。两分钟内可以看到：清晨的用水、一次摔倒和它逐级上报的工单、一处漏水、一只坏表、一辆被拦在门口的电瓶车、一位放行的轮椅乘客。按Ctrl-C全部收走。",
            """
            Starts a private mosquitto, Modbus meters over TCP and pseudo-terminals, lifts on the broker, the gateway and its
            console. Within two minutes: morning life signs, a collapse whose case climbs its ladder, a leak, a dead meter, an
            e-bike held at the door and a wheelchair let through. Ctrl-C takes everything away.
            """)
            + "\n\n" + Spoken.examples("wellward demo --speed 60 --port 8080"))

    @Option(
        parsing: .unconditional, help: .said("现实一秒等于网关多少秒，1到600；电梯总按现实时间走。", "Gateway time in a second of real time, 1 to 600; lifts always run in real time."))
    var speed = 60.0
    @Option(parsing: .unconditional, help: .said("控制台的端口。", "The console's port.")) var port = 8080

    func validate() throws {
        guard (1...600).contains(speed) else { throw ValidationError(Spoken.say("--speed是1到600的数。", "--speed is a number from 1 to 600.")) }
        guard (1...65_535).contains(port) else { throw ValidationError(Spoken.say("--port是1到65535的数。", "--port is a number from 1 to 65535.")) }
    }

    func run() async throws {
        var log = try makeLogger("warning")
        log.logLevel = .error
        do {
            let demo = try Demonstration(.init(speed: speed, port: port, version: Main.build), log: log) { text in
                FileHandle.standardError.write(Data("\(text)\n".utf8))
            }
            FileHandle.standardError.write(
                Data(
                    """

                    Wellward is watching 24 invented homes. Open \(demo.address)
                    One minute here is \(Int(speed)) minutes there; lifts run in real time. Ctrl-C ends and cleans up.

                    """.utf8))
            try await demo.run()
        } catch let fault as Demonstration.Fault {
            throw CommandFault(fault.description)
        }
    }
}
