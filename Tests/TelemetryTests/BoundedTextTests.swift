import Foundation
import Phrasebook
import Simulation
import Telemetry
import Testing

/// Texts from outside: bounded in scalars and bytes, and harmless where they are shown.
@Suite struct BoundedTextTests {
    @Test func `a letter with a hundred thousand accents is a letter with a few`() {
        let text = ("e" + String(repeating: "\u{301}", count: 120_000)).bounded(.device)
        #expect(text.unicodeScalars.count <= BoundedText.mostMarks + 1 && text.unicodeScalars.first == "é")
        #expect(String(repeating: "\u{301}", count: 50).bounded(.device).isEmpty, "an accent without a letter would sit on our own words")
        let many = String(repeating: "x\u{301}\u{302}", count: 1000).bounded(.device)
        #expect(many.unicodeScalars.count <= 200 && many.utf8.count <= 800 && many.hasSuffix("…"))
    }

    @Test func `a limit counts scalars and bytes, and what was cut says so`() {
        #expect("三号楼的烟感响了".bounded(.device) == "三号楼的烟感响了")
        let long = BoundedText(String(repeating: "阿", count: 300), .device)
        #expect(long.isCut && long.text.unicodeScalars.count == 200 && long.text.hasSuffix("阿…"))
        let wide = BoundedText(String(repeating: "😀", count: 200), .init(scalars: 200, bytes: 100))
        #expect(wide.isCut && wide.text.utf8.count <= 100)
        #expect("阮氏ắ".bounded(.name) == "阮氏ắ".precomposedStringWithCanonicalMapping)
        #expect("ne\u{301}".bounded(.name).unicodeScalars.count == 2, "composed")
    }

    @Test(arguments: [
        ("\u{1B}[31mred\u{1B}[0m", "red"), ("\u{1B}]0;title\u{07}x", "x"), ("\u{1B}]0;title\u{1B}\\x", "x"), ("\u{9B}31mred", "red"), ("\u{9D}0;t\u{9C}x", "x"),
        ("\u{1B}]0;no end", ""), ("\u{1B}c", ""), ("a\u{0}b\u{7F}c", "abc"), ("a\u{202E}b\u{2066}c\u{200F}d", "abcd"), ("a\tb\r\nc", "a b  c"),
        ("\u{FEFF}a\u{200B}b", "ab"),
        ("a\u{2028}b", "a b"), ("👨‍👩‍👧", "👨‍👩‍👧"), ("กี่", "กี่"), ("\u{E0041}a\u{FFFE}", "a"),
    ])
    func `control characters, escape sequences and signs that turn writing round are not kept`(raw: String, kept: String) {
        #expect(raw.bounded(.device) == kept)
    }

    @Test func `a note keeps its lines, and nothing in them reaches a terminal`() {
        #expect("one\ntwo\u{1B}]8;;x\nthree".bounded(.note) == "one\ntwo\nthree")
    }

    @Test func `whatever comes in, what is kept is within its limit, composed, and the same when it is kept again`() {
        var random = SeededRandom(seed: 7)
        let parts: [String] = [
            "a", "é", "e\u{301}", "\u{958}\u{93C}", "\u{344}", "\u{1D160}", "阿", "😀", "\u{1B}", "[", "\u{9B}", "\n", "\u{200D}", "\u{1100}", "\u{1161}", "ﷺ",
        ]
        for limit in [BoundedText.Limit.device, .note, .name, .word, .init(scalars: 3, bytes: 7)] {
            for _ in 0..<300 {
                let raw = (0..<Int(random.next() % 400)).map { _ in parts[Int(random.next() % UInt64(parts.count))] }.joined()
                let kept = raw.bounded(limit)
                #expect(kept.unicodeScalars.count <= limit.scalars && kept.utf8.count <= limit.bytes, "\(raw.debugDescription)")
                #expect(kept.precomposedStringWithCanonicalMapping.unicodeScalars.elementsEqual(kept.unicodeScalars))
                #expect(kept.bounded(limit) == kept, "\(raw.debugDescription)")
            }
        }
    }

    @Test func `strings of JSON are cut before they are decoded, between whole signs, and all else stays`() throws {
        func cut(_ text: String, _ most: Int) -> String { String(decoding: QuotedJSON.cut(Array(text.utf8), strings: most).bytes, as: UTF8.self) }
        #expect(cut(#"{"a":"xyz","b":[1,"\"\\",null]}"#, 4) == #"{"a":"xyz","b":[1,"\"\\",null]}"#)
        #expect(cut(#"["abcdef"]"#, 3) == #"["abc"]"#)
        #expect(cut(#"["阿阿阿"]"#, 7) == #"["阿阿"]"#)
        #expect(cut(#"["a\n\n\n"]"#, 4) == #"["a\n"]"#)
        #expect(cut(#"["\ud83d\ude00\ud83d\ude00"]"#, 18) == #"["\ud83d\ude00"]"#)
        for most in 1...40 {
            let made = cut(#"{"k":["x\u00e9\ud83d\ude00é😀\\",{"a":"b"}]}"#, most)
            #expect((try? JSONSerialization.jsonObject(with: Data(made.utf8))) != nil, "\(most): \(made)")
        }
    }

    @Test func `a finding that an earlier release wrote with a device's words in it gives them apart`() throws {
        let old = Finding(
            subject: Subject(.site, "bin-b-7"), kind: .incident, rule: "event/bin", severity: .attention,
            at: Instant(elapsed: .zero, wall: WallTime(unixSeconds: 0)),
            text: LocalizedText(chinese: "垃圾桶满了：张阿婆说的", english: "The bin is full: 张阿婆说的"))
        let read = try JSONDecoder().decode(Finding.self, from: JSONEncoder().encode(old))
        #expect(read.quote == "张阿婆说的" && read.text == LocalizedText(chinese: "垃圾桶满了。", english: "The bin is full.") && read.plainText == read.text)
        #expect(read.words(plain: true, quoted: true) == old.text)
        let fat = Finding(
            subject: Subject(.site, "x"), kind: .incident, rule: "event/x", severity: .attention, at: old.at,
            text: LocalizedText(chinese: "满：a" + String(repeating: "\u{301}", count: 100_000), english: "x"))
        let thin = try JSONDecoder().decode(Finding.self, from: JSONEncoder().encode(fat))
        #expect(thin.text.chinese.utf8.count < 1000)
    }
}
