/// The fixed words of the pages; the case names are the names the templates use.
public enum Label: String, CaseIterable, Sendable {
    case skipToMain, navigation, otherLanguage, signOut, localOnly, notLive, overview, homes, cases, elevators, devices, audit
    case openCases, noCases, noElevators, today, lastWeek, facts, presence, presenceKind, until, untilForAway, note, save
    case chartToday, chartTodayCaption, asTable, hour, litresToday, litresUsual, act, going, there, whatFound, sendOutcome, handBack
    case ladder, findings, told, whom, how, deliveryState, meter, bus, unit, state, lastReading, register, when, whoColumn, what, about
    case signIn, wrongPassword, name, password, toOverview, release, releaseHold
    case stateSafe, stateAttention, stateAlarm, stateAway, stateBlind, stateDegraded, stateLearning, notWatched
    case presenceAway, presenceHospital, presenceVisitors, presenceNone
    case lastUse, firstUse, nextSign, heartbeatYes, heartbeatNo, meterQuality, noUseYet
    case doorOpen, doorOpening, doorClosing, doorClosed, doorLocked, doorUnknown, doorHeld, online, offline, mode, motion, boarding
    case boardingHold, boardingAlarm, floor, heldUntil, coolDownUntil
    case linkTitle, linkExpired, linkClosed, toCase

    /// The words in both languages.
    public var text: LocalizedText {
        let (chinese, english) = words
        return LocalizedText(chinese: chinese, english: english)
    }

    private var words: (String, String) {
        switch self {
        case .skipToMain: ("跳到正文", "Skip to content")
        case .navigation: ("导航", "Navigation")
        case .otherLanguage: ("English", "中文")
        case .signOut: ("退出", "Sign out")
        case .localOnly: ("还没有账户：控制台只在本机可用。", "No accounts yet: the console answers on this machine only.")
        case .notLive: ("与网关的连接断了，页面可能不是最新的。", "The connection to the gateway is lost; this page may be out of date.")
        case .overview: ("总览", "Overview")
        case .homes: ("住户", "Homes")
        case .cases: ("事件", "Cases")
        case .elevators: ("电梯", "Lifts")
        case .devices: ("设备", "Devices")
        case .audit: ("审计", "Audit")
        case .openCases: ("待处理", "Open cases")
        case .noCases: ("没有事件。", "No cases.")
        case .noElevators: ("没有配置电梯。", "No lifts are configured.")
        case .today: ("今天", "Today")
        case .lastWeek: ("最近七天", "Last seven days")
        case .facts: ("情况", "At a glance")
        case .presence: ("在家情况", "Presence")
        case .presenceKind: ("情况", "What is the case")
        case .until: ("到什么时候", "Until when")
        case .untilForAway: ("不在家或住院：到什么时候", "If away or in hospital: until when")
        case .note: ("备注", "Note")
        case .save: ("保存", "Save")
        case .chartToday: ("今天的用水与最近三十天比较", "Water today against the last thirty days")
        case .chartTodayCaption: ("粗线：今天累计；虚线：平常；色带：最近三十天。", "Bold: today so far; dashed: usual; band: last thirty days.")
        case .asTable: ("看表格", "As a table")
        case .hour: ("时间", "By")
        case .litresToday: ("今天（升）", "Today (L)")
        case .litresUsual: ("平常（升）", "Usual (L)")
        case .act: ("处理", "Act")
        case .going: ("我去", "I'm going")
        case .there: ("已到", "I'm there")
        case .whatFound: ("结果怎么样？", "What did you find?")
        case .sendOutcome: ("提交结果", "Send")
        case .handBack: ("我去不了，交给别人", "I can't go, hand it back")
        case .ladder: ("通知阶梯", "Ladder")
        case .findings: ("依据", "Why")
        case .told: ("通知记录", "Who was told")
        case .whom: ("对象", "Whom")
        case .how: ("渠道", "How")
        case .deliveryState: ("送达", "Delivery")
        case .meter: ("水表", "Meter")
        case .bus: ("总线", "Bus")
        case .unit: ("地址", "Unit")
        case .state: ("状态", "State")
        case .lastReading: ("最近读数", "Last reading")
        case .register: ("表底（升）", "Register (L)")
        case .when: ("时间", "When")
        case .whoColumn: ("谁", "Who")
        case .what: ("做了什么", "What")
        case .about: ("对象", "About")
        case .signIn: ("登录", "Sign in")
        case .wrongPassword: ("用户名或密码不对。", "Name or password is wrong.")
        case .name: ("用户名", "Name")
        case .password: ("密码", "Password")
        case .toOverview: ("回到总览", "To the overview")
        case .release: ("放行", "Release")
        case .releaseHold: ("放行（正在保持开门）", "Release the door now")
        case .stateSafe: ("平安", "Safe")
        case .stateAttention: ("留意", "Attention")
        case .stateAlarm: ("告警", "Alarm")
        case .stateAway: ("不在家", "Away")
        case .stateBlind: ("看不到", "Blind")
        case .stateDegraded: ("看不清", "Cannot tell")
        case .stateLearning: ("了解中", "Learning")
        case .notWatched: ("不看护", "Not watched")
        case .presenceAway: ("不在家", "Away")
        case .presenceHospital: ("住院", "In hospital")
        case .presenceVisitors: ("有客人", "Visitors")
        case .presenceNone: ("在家（无登记）", "At home (no entry)")
        case .lastUse: ("最后用水", "Last use")
        case .firstUse: ("今天第一次用水", "First water today")
        case .nextSign: ("最晚应有动静", "Next sign expected by")
        case .heartbeatYes: ("水表带时钟：能分辨没用水和表停了", "The meter has a clock: silence and a stopped meter can be told apart")
        case .heartbeatNo: ("水表没有时钟：读数不变时，分不清是没用水还是表停了", "The meter has no clock: an unchanged register may be silence or a stopped meter")
        case .meterQuality: ("水表", "Meter")
        case .noUseYet: ("今天还没有用水", "No water yet today")
        case .doorOpen: ("门开着", "door open")
        case .doorOpening: ("正在开门", "door opening")
        case .doorClosing: ("正在关门", "door closing")
        case .doorClosed: ("门关着", "door closed")
        case .doorLocked: ("门锁着", "door locked")
        case .doorUnknown: ("门状态不明", "door unknown")
        case .doorHeld: ("保持开门中", "held open")
        case .online: ("在线", "online")
        case .offline: ("离线", "offline")
        case .mode: ("模式", "Mode")
        case .motion: ("运行", "Motion")
        case .boarding: ("控门方式", "Boarding")
        case .boardingHold: ("控门", "holds the door")
        case .boardingAlarm: ("只提醒", "warns only")
        case .floor: ("楼层", "Floor")
        case .heldUntil: ("最晚放行", "Released by")
        case .coolDownUntil: ("冷却到", "Cool-down until")
        case .linkTitle: ("请处理", "Please see to this")
        case .linkExpired: ("这个链接已失效，请看最新的通知，或打电话给居委会。", "This link has run out. Use the newest notice, or phone the committee.")
        case .linkClosed: ("这件事已经结案，谢谢。", "This case is closed. Thank you.")
        case .toCase: ("看事件", "Open the case")
        }
    }
}
