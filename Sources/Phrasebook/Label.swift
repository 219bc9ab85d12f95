/// The fixed words of the pages; the case names are the names the templates use.
public enum Label: String, CaseIterable, Sendable {
    case skipToMain, navigation, otherLanguage, signOut, localOnly, notLive, overview, homes, cases, elevators, devices, audit
    case openCases, noCases, furtherCases, noElevators, today, lastWeek, facts, presence, presenceKind, until, untilForAway, note, save
    case chartToday, chartTodayCaption, asTable, hour, litresToday, litresUsual, act, going, there, whatFound, sendOutcome, handBack
    case ladder, findings, told, whom, how, deliveryState, meter, bus, unit, state, lastReading, register, when, whoColumn, what, about
    case signIn, wrongPassword, name, password, toOverview, release, releaseHold
    case stateSafe, stateAttention, stateAlarm, stateAway, stateBlind, stateDegraded, stateLearning, notWatched
    case presenceAway, presenceHospital, presenceVisitors, presenceNone
    case lastUse, firstUse, nextSign, heartbeatYes, heartbeatNo, meterQuality, noUseYet
    case doorOpen, doorOpening, doorClosing, doorClosed, doorLocked, doorUnknown, doorHeld, online, offline, mode, motion, boarding
    case modeNormal, modeStop, modeInspection, modeFireReturn, modeFirefighter, modeEmergencyPower, modeEarthquake, modeUnknown
    case motionStopped, motionUp, motionDown, motionUnknown
    case boardingHold, boardingAlarm, floor, heldUntil, coolDownUntil
    case qualityGood, qualitySuspect, qualityStale, qualityBad, qualityMissing, qualityBackfilled
    case linkTitle, linkExpired, linkClosed, toCase
    case statistics, statisticsHint, kindColumn, allKinds, opened, alarms, falseAlarms, acceptedAfter, arrivedAfter, outcomes, asSpreadsheet
    case people, peopleHint, role, grids, shifts, onDutyNow, always, yes, no, channels, sent, failedTries, waiting, test, sendTest, deadLetters, noDeadLetters,
        why, again
    case quality, qualityHint, completeness, compliance, timeliness, byDay, byBus, byMeter, day, disputed, corrections, askCorrection, fromTime, shouldBe,
        acceptCorrection, rejectCorrection, correctionOpen, correctionAccepted, correctionRejected, passage, untilSign, navQuality, navPeople
    case problemNotFound, problemForbidden, problemConflict, problemTooMany, problemInput, problemOther, problemShut, problemBusy, linkShut, revokeLinks, undo,
        sendingSoon, whoWasTold, setDuty,
        quietHours, substitute

    /// The words in both languages.
    public var text: LocalizedText {
        let (chinese, english) = words
        return LocalizedText(chinese: chinese, english: english)
    }

    private var words: (String, String) {
        switch self {
        case .problemNotFound: ("没有找到这一页，或者您无权查看。", "There is no such page, or it is not yours to see.")
        case .problemForbidden: ("这个操作不允许。请退回上一页，重新打开再试。", "This is not allowed. Go back, open the page again, and try once more.")
        case .problemConflict:
            ("现在做不了这一步：可能已经结案，或者别人先处理了。请退回看看最新情况。", "This step is not possible now: the case may be closed, or somebody was quicker. Go back and look.")
        case .problemTooMany: ("试的次数太多了，请五分钟后再试。", "Too many tries. Wait five minutes and try again.")
        case .problemInput: ("填写的内容有问题，请退回检查时间和选项。", "Something is wrong with what was entered. Go back and check times and choices.")
        case .problemShut:
            (
                "控制台现在不开放，因为账号文件用不了；各户照常有人看护。请管理员查看网关的日志。急事请直接打电话。",
                "The console is shut because its accounts cannot be read; homes are watched all the same. The gateway's log says what to mend. If it is urgent, phone."
            )
        case .linkShut:
            (
                "这个链接现在打不开，您的操作也没有送到；各户照常有人看护。请直接打电话或者上门看看，再打电话告诉居委会。",
                "This link does not open now, and takes nothing you send; homes are watched all the same. Phone or go there, and tell the committee by phone."
            )
        case .problemBusy: ("网关正忙，请过几秒再试。急事请直接打电话。", "The gateway is busy; try again in a few seconds. If it is urgent, phone.")
        case .problemOther: ("网关现在没有办成，请一分钟后再试。急事请直接打电话。", "The gateway could not do this now; try again in a minute. If it is urgent, phone.")
        case .revokeLinks: ("收回已发出的链接", "Take back the links that were sent")
        case .undo: ("撤销", "Undo")
        case .sendingSoon: ("十秒后提交。", "Will be sent in ten seconds.")
        case .setDuty: ("设置值班", "Set hours")
        case .quietHours: ("免打扰时段（只推迟“请留意”）", "Quiet hours (hold back attention only)")
        case .substitute: ("替班的人（编号）", "Substitute (id)")
        case .whoWasTold: ("通知了谁", "Who was told")
        case .skipToMain: ("跳到正文", "Skip to content")
        case .navigation: ("导航", "Navigation")
        case .otherLanguage: ("English", "中文")
        case .signOut: ("退出", "Sign out")
        case .localOnly:
            (
                "控制台没有账号保护（console.open）：这台机器上的每个人都能查看和操作一切；别的机器打不开。",
                "The console is open without accounts (console.open): whoever is on this machine may see and do everything; no other machine may."
            )
        case .notLive: ("与网关的连接断了，页面可能不是最新的。", "The connection to the gateway is lost; this page may be out of date.")
        case .overview: ("总览", "Overview")
        case .homes: ("住户", "Homes")
        case .cases: ("事件", "Cases")
        case .elevators: ("电梯", "Lifts")
        case .devices: ("设备", "Devices")
        case .audit: ("审计", "Audit")
        case .openCases: ("待处理", "Open cases")
        case .furtherCases: ("更早的事件", "Further cases")
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
        case .modeNormal: ("正常", "normal")
        case .modeStop: ("停止服务", "out of service")
        case .modeInspection: ("检修", "inspection")
        case .modeFireReturn: ("火灾返回", "fire return")
        case .modeFirefighter: ("消防员", "firefighter")
        case .modeEmergencyPower: ("应急电源", "emergency power")
        case .modeEarthquake: ("地震", "earthquake")
        case .modeUnknown: ("不明", "unknown")
        case .motionStopped: ("停着", "stopped")
        case .motionUp: ("上行", "going up")
        case .motionDown: ("下行", "going down")
        case .motionUnknown: ("不明", "unknown")
        case .boardingHold: ("控门", "holds the door")
        case .boardingAlarm: ("只提醒", "warns only")
        case .floor: ("楼层", "Floor")
        case .heldUntil: ("最晚放行", "Released by")
        case .coolDownUntil: ("冷却到", "Cool-down until")
        case .qualityGood: ("正常", "good")
        case .qualitySuspect: ("存疑", "suspect")
        case .qualityStale: ("旧值", "stale")
        case .qualityBad: ("不可信", "bad")
        case .qualityMissing: ("没有", "missing")
        case .qualityBackfilled: ("补数", "back-filled")
        case .linkTitle: ("请处理", "Please see to this")
        case .linkExpired: ("这个链接已失效，请看最新的通知，或打电话给居委会。", "This link has run out. Use the newest notice, or phone the committee.")
        case .linkClosed: ("这件事已经结案，谢谢。", "This case is closed. Thank you.")
        case .toCase: ("看事件", "Open the case")
        case .statistics: ("统计", "Figures")
        case .statisticsHint:
            (
                "每月的告警、误报、响应和到场时间。误报：去了的人发现没有事（包括没登记的外出和水表故障）。",
                "Alerts by month: how many for nothing, how soon somebody took them and was there. For nothing means that whoever went found nobody in need, counting unannounced absences and faulty meters."
            )
        case .kindColumn: ("类别", "Kind")
        case .allKinds: ("全部", "All")
        case .opened: ("事件", "Cases")
        case .alarms: ("告警", "Alarms")
        case .falseAlarms: ("误报", "For nothing")
        case .acceptedAfter: ("响应", "Taken after")
        case .arrivedAfter: ("到场", "There after")
        case .outcomes: ("结果", "Found")
        case .asSpreadsheet: ("下载表格（CSV）", "Download as CSV")
        case .people: ("人员与渠道", "People")
        case .peopleHint:
            (
                "人员和渠道写在 wellward.yaml 里，改好后重新加载即可；值班时间可以在这里设置，立即生效。",
                "People and channels are written in wellward.yaml; reload after a change. Hours of duty can be set here and hold at once."
            )
        case .role: ("角色", "Role")
        case .grids: ("网格", "Grids")
        case .shifts: ("班次", "Shifts")
        case .onDutyNow: ("现在谁值班", "On duty now")
        case .always: ("全天", "always")
        case .yes: ("在班", "on duty")
        case .no: ("不在班", "off duty")
        case .channels: ("渠道", "Channels")
        case .sent: ("已送达", "Delivered")
        case .failedTries: ("失败次数", "Failed tries")
        case .waiting: ("等待中", "Waiting")
        case .test: ("测试", "Test")
        case .sendTest: ("发测试消息", "Send a test")
        case .deadLetters: ("没送到的通知", "Never delivered")
        case .noDeadLetters: ("没有。", "None.")
        case .why: ("原因", "Why")
        case .again: ("再发一次", "Try again")
        case .quality: ("数据质量", "Data quality")
        case .qualityHint: ("最近七天，按计划应有的读数计算。", "Over the last seven days, against the readings that were due.")
        case .completeness: ("完整率", "Completeness")
        case .compliance: ("合规率", "Compliance")
        case .timeliness: ("及时率", "Timeliness")
        case .byDay: ("按天", "By day")
        case .byBus: ("按总线", "By bus")
        case .byMeter: ("按水表", "By meter")
        case .day: ("日期", "Day")
        case .disputed: ("存疑申请", "Disputed")
        case .corrections: ("更正申请", "Correction requests")
        case .askCorrection: ("申请更正读数", "Dispute readings")
        case .fromTime: ("从", "From")
        case .shouldBe: ("应为（可不填）", "Should have been (if known)")
        case .acceptCorrection: ("认可", "Accept")
        case .rejectCorrection: ("驳回", "Reject")
        case .correctionOpen: ("待处理", "open")
        case .correctionAccepted: ("已认可（原始读数不变）", "accepted; the raw readings stay")
        case .correctionRejected: ("已驳回", "rejected")
        case .navQuality: ("质量", "Quality")
        case .navPeople: ("人员", "People")
        case .passage: ("流程", "Course")
        case .untilSign: ("还有", "In")
        }
    }
}
