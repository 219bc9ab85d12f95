import CModbus
import Fieldbus
import Foundation
import Glibc
import Simulation
import Synchronization
import Telemetry
import Threads

/// A real libmodbus server with 200 holding registers that hold their own addresses: an independent peer.
final class LibmodbusServer: Sendable {
    let port: Int
    private let stopped = Mutex(false)

    init() throws {
        let free = try LoopbackPort.free()
        port = free
        let server = self
        let opened = BlockingQueue<Bool>(capacity: 1)
        OwnThread.start { server.serve(free, opened) }
        guard case .element(true) = opened.pop(until: OwnThread.monotonicMilliseconds() + 5000) else { throw POSIXError(.EADDRINUSE) }
    }

    private func serve(_ port: Int, _ opened: BlockingQueue<Bool>) {
        guard let context = modbus_new_tcp("127.0.0.1", Int32(port)), let mapping = modbus_mapping_new(0, 0, 200, 200) else {
            opened.push(false)
            return
        }
        defer {
            modbus_mapping_free(mapping)
            modbus_free(context)
        }
        for index in 0..<200 {
            mapping.pointee.tab_registers[index] = UInt16(index)
            mapping.pointee.tab_input_registers[index] = UInt16(1000 + index)
        }
        var listener = modbus_tcp_listen(context, 4)
        opened.push(listener >= 0)
        var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        while !stopped.withLock({ $0 }) {
            guard modbus_tcp_accept(context, &listener) >= 0 else { break }
            while true {
                let count = modbus_receive(context, &query)
                if count < 0 { break }
                if count > 0 { modbus_reply(context, query, count, mapping) }
            }
            modbus_close(context)
        }
        close(listener)
    }

    func stop() { stopped.withLock { $0 = true } }
}
