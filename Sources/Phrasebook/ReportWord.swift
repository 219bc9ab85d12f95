/// The words of the back-test's report for a committee.
public enum ReportWord: String, CaseIterable, Sendable {
    case title, question, caution, homes, homeMonths, alarms, attentions, perHomeMonth, medianDelay, slowestDelay, missed
    case byMonth, delays, hoursToAlarm, eachHome, home, observedDays, learntOn, eachAlarm, when, rule, why, ended, stillOpen, otherFindings
    case policy, volumeRule, ceiling, budget, none, timeline, noOnsets

    /// What a kind of finding or a rule, by the contract's name, is called on the page; an unknown name stays as it is.
    public static func name(_ id: String) -> LocalizedText {
        let names: [String: (String, String)] = [
            "blind": ("看不到", "blind"), "degraded": ("分不清", "degraded"), "continuous_flow": ("长流水", "water running on"),
            "excess_use": ("用水过多", "excess use"), "use_while_away": ("外出时用水", "use while away"), "meter_event": ("水表事件", "meter event"),
            "volume": ("固定规则", "volume rule"), "longest_silence": ("最长无动静", "longest silence"), "personal_gap": ("个人习惯", "personal habits"),
        ]
        let (chinese, english) = names[id] ?? (id, id)
        return LocalizedText(chinese: chinese, english: english)
    }

    /// The words in both languages.
    public var text: LocalizedText {
        let (chinese, english) = words
        return LocalizedText(chinese: chinese, english: english)
    }

    private var words: (String, String) {
        switch self {
        case .title: ("回溯报告：按这套规则，我们这里会怎样？", "Back-test: what would have happened in our homes?")
        case .question:
            (
                "用过去的水表读数重走一遍，看这套看护规则会提醒几次、几次要上门、多快发现。",
                "The recorded registers, walked through again under this policy: how often somebody is told, how often somebody goes, how soon a fall is noticed."
            )
        case .caution:
            (
                "这是对过去的推算，不是保证。历史里没有真的摔倒；“摔倒”是从某一刻起让读数停住来模拟的。出远门而没有登记的日子也算作告警。",
                "This is a reckoning about the past, not a promise. The history holds no real falls: a fall is simulated by holding the register from a moment on. Undeclared trips count as alarms."
            )
        case .homes: ("户数", "Homes")
        case .homeMonths: ("观察（户月）", "Home-months observed")
        case .alarms: ("告警（要上门）", "Alarms (somebody goes)")
        case .attentions: ("提醒（告诉家属）", "Attentions (family is told)")
        case .perHomeMonth: ("每户每月", "per home and month")
        case .medianDelay: ("一半的摔倒在这么久内发现", "Half of the falls noticed within")
        case .slowestDelay: ("九成的摔倒在这么久内发现", "Nine in ten falls noticed within")
        case .missed: ("72小时内没有发现", "Not noticed within 72 h")
        case .byMonth: ("每月次数", "By month")
        case .delays: ("从摔倒到告警", "From the fall to the alarm")
        case .hoursToAlarm: ("小时", "hours")
        case .eachHome: ("逐户", "Home by home")
        case .home: ("住户", "Home")
        case .observedDays: ("观察天数", "Days observed")
        case .learntOn: ("学会于", "Learnt on")
        case .eachAlarm: ("每一次告警和它的理由", "Each alarm and its reason")
        case .when: ("时间", "When")
        case .rule: ("规则", "Rule")
        case .why: ("理由", "Why")
        case .ended: ("结束", "Ended")
        case .stillOpen: ("未结束", "not ended")
        case .otherFindings: ("其他发现", "Other findings")
        case .policy: ("规则", "Policy")
        case .volumeRule: ("固定规则", "Volume rule")
        case .ceiling: ("最长无动静", "Longest silence")
        case .budget: ("每月允许误报：提醒 / 告警", "Budget of false ones a month: attention / alarm")
        case .none: ("没有", "none")
        case .timeline: ("时间线：竖线是告警，点是提醒", "Time line: bars are alarms, dots are attentions")
        case .noOnsets: ("没有给出模拟的摔倒（--onsets）。", "No simulated falls were given (--onsets).")
        }
    }
}
