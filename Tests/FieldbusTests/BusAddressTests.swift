import DeviceProfiles
import Fieldbus
import Testing

@Suite struct BusAddressTests {
    @Test func `a bus URL is read as it is written`() {
        #expect(BusAddress(url: "tcp://10.0.0.7") == .tcp(host: "10.0.0.7", port: 502))
        #expect(BusAddress(url: "rtu-over-tcp://gw.local:4001") == .rtuOverTCP(host: "gw.local", port: 4001))
        #expect(BusAddress(url: "tcp://[::1]") == .tcp(host: "::1", port: 502))
        #expect(BusAddress(url: "tcp://[fe80::1%eth0]:1502") == .tcp(host: "fe80::1%eth0", port: 1502))
        #expect(
            BusAddress(url: "rtu:///dev/ttyUSB0?baud=2400&parity=even&stop_bits=2")
                == .rtu(device: "/dev/ttyUSB0", baud: 2400, parity: .even, stopBits: 2))
    }

    @Test(arguments: [
        "tcp://", "tcp://:502", "tcp://[::1", "tcp://[::1]x", "tcp://[]", "tcp://[]:502", "tcp://[10.0.0.7]:502", "tcp://::1", "tcp://::1:502", "tcp://a:b",
        "tcp://a:0", "tcp://a:65536", "tcp://a:99999999999999999999", "tcp://a:-1", "tcp://a:", "tcp://a\u{0}b:502", "rtu://", "rtu://ttyUSB0",
        "rtu:///dev/ttyUSB0?baud=3000000000", "rtu:///dev/ttyUSB0?baud=-9600", "rtu:///dev/ttyUSB0?baud=0", "rtu:///dev/ttyUSB0?baud=99999999999999999999",
        "rtu:///dev/ttyUSB0?baud=", "rtu:///dev/ttyUSB0?stop_bits=3", "rtu:///dev/ttyUSB0?speed=9600", "", "://", "http://a",
    ]) func `what is no bus URL is refused, not a crash`(url: String) { #expect(BusAddress(url: url) == nil) }
}
