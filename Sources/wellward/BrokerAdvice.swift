import Messaging
import SiteConfiguration

/// What is wrong with a broker, and what to do, for whoever stands before the machine.
enum BrokerAdvice {
    /// The trouble as a finding of the doctor.
    static func finding(_ what: String, _ broker: SiteConfiguration.Broker, _ trouble: ConnectionTrouble) -> Doctor.Finding {
        let place = "\(broker.host):\(broker.port)"
        let (chinese, english) = words(trouble.kind)
        let detail = trouble.detail.isEmpty ? ("", "") : ("（\(trouble.detail)）", " (\(trouble.detail))")
        let (todo, toDo) = advice(trouble.kind)
        return Doctor.Finding(
            what: what, state: .bad, text: Spoken.say("\(place)\(chinese)\(detail.0)", "\(place) \(english)\(detail.1)"), todo: Spoken.say(todo, toDo))
    }

    private static func words(_ kind: ConnectionTrouble.Kind) -> (String, String) {
        switch kind {
        case .unreachable: ("连不上", "is not reached")
        case .silent: ("有人监听，但没有应答", "is there and does not answer")
        case .loginRefused: ("不让登录", "refuses the login")
        case .identifierRefused: ("不接受客户端标识", "refuses the client identifier")
        case .unavailable: ("说它暂时不能用", "says that it is not available")
        case .certificate: ("的证书对不上", "and this machine do not agree on the certificates")
        case .file: ("：连接用的文件读不了", "cannot be tried, a file cannot be read")
        case .subscriptionRefused: ("不让订阅", "refuses a subscription")
        case .publicationRefused: ("不让发布", "refuses a publication")
        case .takenOver: ("把我们的位置给了另一个客户端", "gave our place to another client")
        case .unstable: ("的连接一再断开", "loses the connection again and again")
        case .lost: ("没说话就挂断了", "hangs up before it says anything")
        case .noMQTT: ("的应答不是MQTT", "answers, and not in MQTT")
        }
    }

    private static func advice(_ kind: ConnectionTrouble.Kind) -> (String, String) {
        switch kind {
        case .unreachable: ("看它是否在运行，中间有没有防火墙", "check that it runs and that no firewall stands between")
        case .silent: ("重启它；端口是TLS的就写上`tls`", "restart it; if the port speaks TLS, configure `tls`")
        case .loginRefused:
            (
                "对照服务器的password_file检查`username`和`password_file`；改好后网关自己会连上",
                "check `username` and `password_file` against the broker's password_file; the gateway connects by itself once they agree"
            )
        case .identifierRefused: ("去掉服务器配置里的clientid_prefixes", "take clientid_prefixes out of the broker's configuration")
        case .unavailable: ("看服务器自己的日志", "look into the broker's own log")
        case .certificate:
            (
                "检查`tls.ca_file`、证书的期限和主机名，以及本机的时钟；换好后网关自己会连上",
                "check `tls.ca_file`, the certificate's dates and host name, and this machine's clock; the gateway connects by itself once they fit"
            )
        case .file: ("让网关的用户能读它", "let the gateway's user read it")
        case .subscriptionRefused, .publicationRefused:
            ("对照Deploy/mosquitto.acl检查服务器的acl_file", "compare the broker's acl_file with Deploy/mosquitto.acl")
        case .takenOver, .unstable:
            (
                "给每个客户端自己的用户名；网关用的监听口不要写use_username_as_clientid",
                "give each client a user name of its own; no use_username_as_clientid on the gateway's listener"
            )
        case .lost, .noMQTT: ("检查端口；端口是TLS的就写上`tls`", "check the port; if it speaks TLS, configure `tls`")
        }
    }
}
