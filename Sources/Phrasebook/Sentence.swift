/// The catalogue: every sentence the product says to a person about homes, lifts, meters and cases, in both languages.
///
/// Blanks are written `{name}` and must be the same in both languages (a test holds them to it).
public enum Sentence: String, CaseIterable, Sendable {
    // Homes.
    case silenceVolume, silenceVolumePlain
    case silenceCeiling, silenceCeilingPlain
    case silencePersonal, silencePersonalRare, silencePersonalPlain
    case sinceReturn, sinceSeen
    case silenceBlind, silenceBlindPlain
    case silenceNeverSeen, silenceVolumeNever, silenceVolumeNeverPlain, silenceBlindNever, silenceBlindNeverPlain
    case lowUse, lowUsePlain
    case continuousFlow, continuousFlowPlain
    case leakFloor, leakFloorPlain, steadyDrip, steadyDripPlain, fewCounts, fewCountsPlain, noPause, noPausePlain
    case excessUse, excessUsePlain
    case useWhileAway, useWhileAwayPlain
    case blind
    case degraded
    case meterJump, meterGlitch, meterReset, meterReplaced, meterReverse, meterRollover, meterSetBack
    case safe, coarseDrip, safeNoUseYet, learning, away, inHospital, notArmed, tooCoarse
    case signOfLife, silenceUnseen, lastUseUnseen, silenceOverLeak, silenceOverCounts, absenceEnding
    // Meters and buses.
    case meterSilent, meterSilentBehindGateway, meterBad, busDown, busDownBehindGateway
    case storageFull, storageUnwritable, undurable, storeSetAside, linesUnreadable, drill, gatewayUnwatched, channelDead, readerUnreached, eventsFolded,
        handedBackOften,
        confirmOutcome, mostHomesBlind,
        mostHomesOfSiteBlind,
        mostHomesQuiet,
        commandUnanswered
    // Elevators.
    case ebikeHeld, ebikeSeen, ebikeRefused, ebikeVetoed, ebikeLongestHold, ebikeTooOften, batterySeen, gasSeen, elevatorOffline
    case contradictionPresence, contradictionEmptyCar, contradictionStatuses, contradictionLeap, contradictionTime, contradictionAnswer
    case contradictionUnusable
    case announceHold, announceAlarm
    // Notices.
    case subjectHome, subjectHomeNamed, subjectLift, subjectMeter, subjectBus, subjectSite
    case askAccept, askOutcome, askCall, askLook, escalated, boardingsThisWeek, asOf, ownerGap, acceptedBy, arrivedBy, closedWith, typedBy, noticeEnd
    case justNow, yesterday, today, onDate
    // Other devices.
    case devicesMore, deviceFlood, textsCut
    // Channels and figures.
    case channelTest, channelTestSent, channelTestFailed, medianAndMost

    /// The sentence with its blanks.
    public var template: LocalizedText {
        let (chinese, english) = words
        return LocalizedText(chinese: chinese, english: english)
    }

    private var words: (String, String) {
        switch self {
        case .silenceVolume:
            (
                "最近{within}只用了{litres}升水，低于{below}升；最后一次用水在{last}。",
                "Only {litres} L of water in the last {within}, less than {below} L; the last use was {last}."
            )
        case .silenceVolumePlain:
            ("最近{within}几乎没有动静；最后一次在{last}。", "Hardly a sign of life in the last {within}; the last was {last}.")
        case .silenceVolumeNever:
            (
                "最近{within}只用了{litres}升水，低于{below}升；开始看护以来还没有用过水。",
                "Only {litres} L of water in the last {within}, less than {below} L; none has been used since watching began."
            )
        case .silenceVolumeNeverPlain:
            ("最近{within}几乎没有动静，开始看护以来也没有。", "Hardly a sign of life in the last {within}, and none since watching began.")
        case .silenceBlindNever:
            (
                "水表没有读数；开始看护{silence}以来还没有看到用过水。请打电话或上门看看。",
                "The meter gives no readings; in the {silence} since watching began no use was seen. Please phone or visit."
            )
        case .silenceBlindNeverPlain:
            ("我们看不到这一家，开始看护以来还没有动静。请打个电话。", "We cannot see this home, and there was no sign of life since watching began. Please phone.")
        case .silenceCeiling:
            (
                "{last}之后没有用水，已{silence}；上限是{ceiling}。",
                "No water since {last}, {silence}; the limit is {ceiling}."
            )
        case .silenceCeilingPlain:
            ("{last}之后没有动静，已{silence}。", "No sign of life since {last}, {silence}.")
        case .silencePersonal:
            (
                "{last}之后没有用水，已{silence}；最近一个月里差不多同一时候开始的安静，到这个钟点最久约{usual}。",
                "No water since {last}, {silence}; pauses of the last month that began about then had lasted at most about {usual} by this time of day."
            )
        case .silencePersonalRare:
            (
                "{last}之后没有用水，已{silence}；最近30天里，到这个钟点安静了这么久的有{count}次。",
                "No water since {last}, {silence}; silences that had lasted as long by this time of day in the last 30 days: {count}."
            )
        case .sinceReturn: ("{time}（登记的外出结束）", "{time} (when the absence ended)")
        case .sinceSeen: ("{time}（有人看过）", "{time} (when somebody was there)")
        case .silencePersonalPlain:
            ("{last}之后没有动静，已{silence}，比平时久。", "No sign of life since {last}, {silence}, longer than usual.")
        case .silenceBlind:
            (
                "水表没有读数；读数中断前最后一次用水在{last}，到现在已{silence}。请打电话或上门看看。",
                "The meter gives no readings; the last use seen before that was {last}, {silence} ago. Please phone or visit."
            )
        case .silenceBlindPlain:
            ("我们看不到这一家，最后一次动静在{last}。请打个电话。", "We cannot see this home; the last sign of life was {last}. Please phone.")
        case .silenceNeverSeen:
            (
                "开始看护{silence}以来没有用过水。请核对水表是不是这一家的，并上门看看。",
                "No water at all in the {silence} since watching began. Check that this is the home's meter, and visit."
            )
        case .lowUse:
            ("最近{within}只用了{litres}升水，平时约{usual}升。", "Only {litres} L in the last {within}; usually about {usual} L.")
        case .lowUsePlain:
            ("最近{within}的动静比平时少得多。", "Far fewer signs of life than usual in the last {within}.")
        case .continuousFlow:
            (
                "水已连续流了{lasting}（自{since}起，共{litres}升），可能忘关龙头或漏水。",
                "Water has run without a pause for {lasting} (since {since}, {litres} L): a tap left on, or a leak."
            )
        case .continuousFlowPlain:
            (
                "水已连续流了{lasting}（自{since}起），可能忘关龙头或漏水。",
                "Water has run without a pause for {lasting} (since {since}): a tap left on, or a leak."
            )
        case .leakFloor:
            (
                "最近{lasting}里，每两小时都有水流过，最少时每小时{rate}升，可能漏水；漏水会掩盖没有动静的情况。",
                "In every two hours of the last {lasting} water ran, at the least {rate} L an hour: perhaps a leak, and a leak can hide a silence."
            )
        case .leakFloorPlain:
            (
                "最近{lasting}里一直有水流过，可能漏水；漏水会掩盖没有动静的情况。",
                "In every two hours of the last {lasting} water ran: perhaps a leak, and a leak can hide a silence."
            )
        case .steadyDrip:
            (
                "水表大约每{pace}跳一次（{litres}升），已连续{count}次，像滴漏（每小时约{rate}升）；分不清家里有没有动静。",
                "The register turned by {litres} L about every {pace}, {count} times running, as from a drip of {rate} L an hour: life and leak cannot be told apart."
            )
        case .steadyDripPlain:
            ("水表跳得很有规律，像滴漏；分不清家里有没有动静。", "The meter turns at a steady pace, as from a drip: life and leak cannot be told apart.")
        case .fewCounts:
            (
                "最近{lasting}里水表只零星跳了{litres}升；这户四周来最少的时候也有{usual}升。可能只是滴漏，分不清家里有没有动静。",
                "In the last {lasting} the register turned by only {litres} L, one count at a time; the least in four weeks was {usual} L. It may be no more than a drip: life and leak cannot be told apart."
            )
        case .fewCountsPlain:
            (
                "水表只零星跳过字，比这户四周来任何时候都少。可能只是滴漏，分不清家里有没有动静。",
                "The meter turned by single counts only, fewer than at any time in four weeks. It may be no more than a drip: life and leak cannot be told apart."
            )
        case .noPause:
            (
                "已连续{days}天，水表两次跳字之间从没超过{pause}，夜里也一样，像是有每小时{rate}升左右的漏水。水表每{litres}升才跳一次，分不清是漏水还是有人用水。",
                "For {days} days the register has never rested for more than {pause}, at night neither, as with a leak of about {rate} L an hour. It counts in steps of {litres} L: life and leak cannot be told apart."
            )
        case .noPausePlain:
            (
                "已连续{days}天，水表夜里也没有停过{pause}以上，可能漏水；分不清是漏水还是有人用水。",
                "For {days} days the meter has never rested for more than {pause}, at night neither: perhaps a leak, and life and leak cannot be told apart."
            )
        case .excessUse:
            ("今天已用{litres}升水，超过上限{ceiling}升。", "{litres} L used today, over the ceiling of {ceiling} L.")
        case .excessUsePlain: ("今天用水异常多。", "Unusually much water today.")
        case .useWhileAway:
            ("登记为不在家，但{last}用了{litres}升水。", "Registered as away, yet {litres} L were used at {last}.")
        case .useWhileAwayPlain: ("登记为不在家，但{last}有动静。", "Registered as away, yet there was a sign of life at {last}.")
        case .blind:
            (
                "水表已{silence}没有读数，我们现在看不到这一家。请维修，并请居委会今天打个电话。",
                "No reading from the meter for {silence}; we cannot see this home now. Please repair it, and the committee please phone today."
            )
        case .degraded:
            ("漏水盖住了日常用水，我们分不清家里有没有动静。", "A leak covers everyday use; we cannot tell whether there is life in the home.")
        case .meterJump:
            ("水表读数从{from}升跳到{to}升，暂不采信，等下次读数。", "The register jumped from {from} L to {to} L; held back until the next readings.")
        case .meterGlitch: ("有一次读数是{to}升，随后恢复正常，不予采信。", "One reading said {to} L and the next ones were right again; it was dropped.")
        case .meterReset: ("水表读数归零（原{from}升）。", "The register was reset (it stood at {from} L).")
        case .meterReplaced:
            (
                "{meter}的读数从{from}升变成了{to}升并保持：换表了，还是改了设置？请核对表号。",
                "{meter} went from {from} L to {to} L and stayed there: a new meter, or a changed setting? Please check its number."
            )
        case .meterReverse:
            (
                "{meter}倒转了{litres}升，不计为用水。请查止回阀、安装方向和管中空气。",
                "{meter} ran backwards by {litres} L, which is not counted. Check the non-return valve, the mounting direction and air in the pipe."
            )
        case .meterSetBack:
            (
                "{meter}的读数从{from}升退回到{to}升，之后从那里接着走：多半是水表断过电。用水从新读数算起。",
                "{meter} went back from {from} L to {to} L and counts on from there: it has probably lost power. Use is counted from the new reading."
            )
        case .meterRollover: ("水表走满一圈（{from}升之后回到{to}升）。", "The register rolled over (from {from} L to {to} L).")
        case .safe: ("最后一次用水在{last}，在平时范围内。", "The last use was {last}, within what is usual.")
        case .coarseDrip: ("这只表比较粗，很慢的滴漏看起来也像有人用水。", "Its meter is coarse: a slow drip would look like use.")
        case .safeNoUseYet: ("今天还没有用水，在平时范围内。", "No water yet today, within what is usual.")
        case .learning: ("正在了解这一家的习惯；目前按固定规则看护。", "Still learning this home's habits; guarded by the fixed rules meanwhile.")
        case .away: ("登记为不在家，到{until}。", "Registered as away until {until}.")
        case .inHospital: ("登记为住院，到{until}。", "Registered as in hospital until {until}.")
        case .notArmed: ("没有同意记录，不看护。", "No consent on record: not watched.")
        case .tooCoarse:
            (
                "水表每{litres}升才跳一次，看不出有没有动静：这一家没有被看护到。",
                "The meter counts in steps of {litres} L, which shows no signs of life: this home is not covered."
            )
        case .signOfLife:
            ("刚刚用水了（{at}）。请仍然确认一下，并填写结果。", "Water was used just now ({at}). Please still make sure, and enter what you found.")
        case .meterSilent:
            (
                "{meter}（{bus}，地址{unit}）连续{count}次没有应答。{others}请先查这只表的电源和接线。",
                "{meter} on {bus}, unit {unit}: no reply {count} times running. {others}Check power and wiring at this meter first."
            )
        case .meterSilentBehindGateway:
            (
                "{meter}（{bus}，地址{unit}）连续{count}次没有应答：网关在，它后面的表不应答。{others}请查这只表的供电、485接线和地址，以及网关串口的设置。",
                "{meter} on {bus}, unit {unit}: no reply {count} times running. The gateway answers, the meter behind it does not. "
                    + "{others}Check the meter's power, RS-485 wiring and address, and the settings of the gateway's serial port."
            )
        case .meterBad:
            ("{meter}有应答，但读数不可信（{reason}）。", "{meter} answers, but its reading cannot be trusted ({reason}).")
        case .busDown:
            ("{bus}上{count}只表全部没有应答：请先查网关、转换器和供电。", "None of the {count} meters on {bus} replies: check the gateway's adapter and the power first.")
        case .busDownBehindGateway:
            (
                "{bus}上{count}只表全部没有应答，但网关在：请先查网关后面485线的供电、接线和串口设置。",
                "None of the {count} meters on {bus} replies, though the gateway does: check power and wiring of the RS-485 line behind it "
                    + "and the settings of its serial port first."
            )
        case .storageUnwritable:
            (
                "网关写不了自己的记录，暂时靠内存看护；断电会丢掉这期间的事。请修复、清理或更换存储。",
                "The gateway cannot write its record and watches from memory; a loss of power loses what happens meanwhile. Repair, free or replace the storage."
            )
        case .storageFull:
            (
                "网关磁盘写不进了，读数暂时丢弃，告警照常发出。请清理或更换存储。",
                "The gateway's disk takes no more; readings are dropped for now, alerts still go out. Free or replace the storage."
            )
        case .gatewayUnwatched:
            ("网关从{from}到{to}没有运行，这段时间没有看护。", "The gateway was down from {from} to {to}; nobody was watched in that time.")
        case .drill:
            (
                "【演练】这是每月一次的演练，没有人出事。请像真的一样点“我去”，到了点“已到”，最后填写结果“已修好”。",
                "[Drill] This is the monthly drill, nobody is in danger. Please press I'm going as if it were real, then I'm there, then the outcome \"Repaired\"."
            )
        case .undurable: ("（网关存储写不进去，这条没能存盘，请记下来。）", " (The gateway's disk takes nothing and this is not written down: please make a note.)")
        case .storeSetAside:
            (
                "记录文件损坏，已搁置，另起新文件继续看护；找回{count}条记录。请逐户确认近况，并检查存储卡。",
                "The record was damaged and set aside; watching goes on with a new one. {count} entries were carried over. Please check on the homes and on the storage."
            )
        case .linesUnreadable:
            (
                "记录里有{count}条告警或通知读不出来了，已跳过。请逐户确认近况，并检查存储卡。",
                "{count} alerts or notices in the record can no longer be read and were skipped. Please check on the homes and on the storage."
            )
        case .channelDead:
            (
                "通知渠道{channel}一直送不出去，有{count}条在等。原因：{why}。",
                "Channel {channel} has not delivered anything for a while; {count} notices wait. The reason: {why}."
            )
        case .eventsFolded:
            (
                "{source}报来的事件太多，新的并成这一件。最新的一条：{newest}",
                "{source} reports more than can be told one by one; what is new is gathered here. The newest: {newest}"
            )
        case .handedBackOften:
            ("{who}三次接了又退回。请换人去。", "{who} took this on and handed it back three times. Somebody else must go.")
        case .confirmOutcome:
            (
                "{who}报告：{outcome}。居委会请核实，并在这户的页面登记。没有登记的话，{until}起照常守护。",
                "{who} reports: {outcome}. The committee must confirm it and enter it on the home's page. Without that the home is watched again from {until}."
            )
        case .readerUnreached:
            (
                "渠道{channel}送不到联系人{contact}，别人收得到。原因：{why}。请核对这个人的地址。",
                "Channel {channel} does not reach contact {contact}, though it reaches others. The reason: {why}. Check this person's address."
            )
        case .mostHomesOfSiteBlind:
            (
                "全小区大多数人家（{count}户）同时看不到了：像是停电或网络中断。请逐户打电话。",
                "Most homes of the site ({count}) cannot be seen any more: probably a power cut or the network. Please call each home."
            )
        case .mostHomesBlind:
            (
                "{bus}上大多数人家（{count}户）同时看不到了：像是断电或线路故障。请逐户打电话。",
                "Most homes on {bus} ({count}) went out of sight together: a power cut or a line fault. Please phone each home."
            )
        case .absenceEnding:
            (
                "外出登记到{until}结束，之后没有动静就会告警。人按时回来吗？晚回来请把日期改晚。",
                "The absence entered here ends {until}; silence after that raises an alarm. Is the person back by then? If later, enter the new date."
            )
        case .channelTest: ("这是一条测试消息，没有人需要帮助。", "This is a test; nobody needs help.")
        case .channelTestSent: ("测试消息已通过{channel}送出。", "The test went out by {channel}.")
        case .channelTestFailed: ("{channel}没有送达：{why}", "{channel} did not deliver: {why}")
        case .medianAndMost: ("一半在{median}内，95%在{most}内", "half within {median}, 95 % within {most}")
        case .lastUseUnseen:
            (
                "这次用水发生在{from}之后、没有读数的那段时间里，所以可能已安静{silence}。",
                "That water ran at some time after {from}, while nothing was read: the silence may be as long as {silence}."
            )
        case .silenceOverCounts:
            ("其间水表只零星跳过字，可能只是滴漏。", "Since then the meter has turned by single counts only, which may be no more than a drip.")
        case .silenceOverLeak: ("其间表上走的字不超过漏水的量。", "What the meter has counted since is no more than the leak.")
        case .silenceUnseen: ("其中{unseen}水表没有读数。", "For {unseen} of it the meter gave no reading.")
        case .mostHomesQuiet:
            (
                "{bus}上{all}户中有{count}户同时没有用水：像是停水或关了总阀。请问清楚，并逐户打电话。",
                "{count} of {all} homes on {bus} draw no water at the same time: the supply may be cut off or a valve shut. Please find out, and phone each home."
            )
        case .commandUnanswered: ("电梯控制器没有应答命令。请联系维保单位。", "The elevator controller does not answer commands. Call the maintenance company.")
        case .ebikeHeld:
            (
                "检测到电瓶车，门保持打开。请推出电梯。（{frames}帧，置信度{confidence}）",
                "An e-bike was detected and the door is held open. Please take it out. ({frames} frames, confidence {confidence})"
            )
        case .ebikeSeen:
            (
                "检测到电瓶车进电梯；这部电梯只提醒，不控门。（{frames}帧，置信度{confidence}）",
                "An e-bike was detected in the lift; this lift only warns, the door is not held. ({frames} frames, confidence {confidence})"
            )
        case .ebikeRefused: ("检测到电瓶车，但没有控门：{reason}。", "An e-bike was detected, but the door was not held: {reason}.")
        case .ebikeVetoed: ("检测到电瓶车，但轿厢里有{other}，没有控门。", "An e-bike was detected, but there is a {other} in the car; the door was not held.")
        case .ebikeLongestHold:
            ("门已保持{held}，到了上限，已放行；电瓶车可能还在。请去看看。", "The door was held for {held}, the limit, and released; the e-bike may still be there. Please go and look.")
        case .ebikeTooOften:
            ("一小时内已控门{count}次，改为只提醒。请检查检测设备。", "The door was held {count} times within an hour; from now on only warnings. Check the detector.")
        case .batterySeen: ("检测到电瓶车电池进电梯。", "An e-bike battery was detected in the lift.")
        case .gasSeen: ("检测到液化气瓶进电梯。", "A gas cylinder was detected in the lift.")
        case .contradictionPresence:
            (
                "电梯控制器的状态在更新，但服务器上留着它的“offline”。请让控制器重新发布“online”。",
                "The lift's controller sends its status, but the broker keeps its word offline. Let the controller publish online again."
            )
        case .contradictionEmptyCar:
            (
                "摄像头看到轿厢里有人或车，控制器却说轿厢是空的。请检查称重和轿厢传感器。",
                "The camera sees somebody or a vehicle in the car, but the controller says that it is empty. Check the load cell and the car's sensors."
            )
        case .contradictionStatuses:
            (
                "这部电梯的状态前后矛盾，不会控门。请检查是否有两个设备用它的主题发布。",
                "The lift's statuses contradict one another, so its door is not held. Check whether two devices publish on its topics."
            )
        case .contradictionLeap:
            (
                "收到一条序号跳得太远的消息，没有采用。请检查是否有别的设备冒用这个控制器。",
                "A message had a number far ahead of its controller's, and was not used. Check whether another device speaks in its name."
            )
        case .contradictionTime:
            (
                "消息里的时间和发送者的时钟对不上，没有采用。请检查它的时钟，以及是否有人重放旧消息。",
                "Messages bear times that do not fit their sender's clock, and were not used. Check its clock, and whether somebody replays old ones."
            )
        case .contradictionAnswer:
            (
                "命令的应答不是这个控制器发的。请检查服务器的acl_file。",
                "Answers to commands do not come from the lift's controller. Check the broker's acl_file."
            )
        case .contradictionUnusable:
            (
                "这部电梯的消息用不了：{field}。请对照协议检查控制器或摄像头。",
                "Messages of this lift cannot be used: {field}. Check its controller or camera against the protocol."
            )
        case .elevatorOffline:
            (
                "电梯控制器已离线{away}。电梯照常运行，但这里看不到电瓶车。请联系维保单位。",
                "The elevator controller has been offline for {away}. The lift runs as usual, but e-bikes are not seen here. Call the maintenance company."
            )
        case .announceHold: ("检测到电瓶车，请推出电梯，门将保持打开。", "E-bike detected. Please take it out; the door stays open.")
        case .announceAlarm: ("电瓶车不能进电梯，请推出。", "E-bikes are not allowed in the lift. Please take it out.")
        case .subjectHome: ("{id}", "Home {id}")
        case .subjectHomeNamed: ("{address} {name}", "{address}, {name}")
        case .subjectLift: ("电梯{id}", "Lift {id}")
        case .subjectMeter: ("水表{id}", "Meter {id}")
        case .subjectBus: ("总线{id}", "Bus {id}")
        case .subjectSite: ("网关", "Gateway")
        case .askAccept: ("请{within}内点“我去”。", "Please press “I'm going” within {within}.")
        case .askOutcome: ("请确认后填写结果。", "Please make sure and enter what you found.")
        case .askCall: ("方便的话打个电话。", "If you can, please phone.")
        case .askLook: ("请处理后填写结果。", "Please see to it and enter what you found.")
        case .devicesMore: ("{title}：同一来源的消息太多，后面的不再一条条单列，请到现场看。", "{title}: too many messages of this source to list one by one; go and look.")
        case .deviceFlood:
            (
                "来源{source}发来的消息太多，有{count}条没有处理。请检查这台设备或它的账号。",
                "The source {source} sends too many messages; {count} were left out. Check the device, or its account."
            )
        case .textsCut:
            (
                "有{count}条记录里的文字长得不合理，已经截短；结尾是省略号的就是。",
                "{count} lines of the record held texts of unreasonable length, which were cut; those that end in … are meant."
            )
        case .escalated: ("还没有人处理。", "Nobody has taken this on yet.")
        case .ownerGap:
            (
                "有{count}户在有些时候没有能上门的人值班，例如{day}{hour}起；那时会通知所有能上门的人。",
                "Homes with nobody on duty who could go at some hours: {count}, for example from {day} {hour}; then all who could are told."
            )
        case .asOf: ("（这是{at}的情况。）", "(As of {at}.)")
        case .boardingsThisWeek: ("这部电梯本周第{count}次。", "Number {count} in this lift this week.")
        case .acceptedBy: ("{who}已接单，正在处理。", "{who} is going.")
        case .arrivedBy: ("{who}已到现场。", "{who} has arrived.")
        case .typedBy: ("填写人：{who}", "Typed by: {who}")
        case .closedWith: ("已结案：{outcome}。", "Closed: {outcome}.")
        case .noticeEnd: ("{link}", "{link}")
        case .justNow: ("刚刚", "just now")
        case .yesterday: ("昨天{at}", "{at} yesterday")
        case .today: ("今天{at}", "{at} today")
        case .onDate: ("{month}月{day}日{at}", "{at} on {month}/{day}")
        }
    }

    /// The blanks of a template, sorted.
    public static func blanks(in template: String) -> [String] {
        var found: [String] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            found.append(String(rest[rest.index(after: open)..<close]))
            rest = rest[rest.index(after: close)...]
        }
        return Array(Set(found)).sorted()
    }
}
