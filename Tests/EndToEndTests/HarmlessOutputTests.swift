import Foundation
import Testing

@testable import wellward

/// What the commands print of texts that anybody may have typed.
@Suite struct HarmlessOutputTests {
    @Test(arguments: [
        "=1+1", "+1", "-1+1", "@x", "\t=1", "\r=1", "\n=1", " \n =1", "\u{FF1D}1", "\u{FF0B}1", "\u{FF0D}1", "\u{FF20}x", "-inf", "-nan", "-0x10", "+1.5",
        "\u{FEFF}=1",
        "\u{200B}=1", "\u{1B}[0m=1", "\"=1", "'=1", "\u{A0}=1", "\u{3000}=1", "\u{2212}1",
    ])
    func `a cell that a spreadsheet would take for a formula is none`(cell: String) {
        let written = RemotePrinter.csv([[cell]])
        #expect(written.hasPrefix("'") || written.hasPrefix("\"'"), "\(written.debugDescription)")
    }

    @Test(arguments: ["-12.5", "3", "1e9", "-1.5E-3", "word", "2026-11-30T00:00:00+08:00", "阿婆在家"])
    func `numbers and words are left as they are`(cell: String) { #expect(RemotePrinter.csv([[cell]]) == cell) }

    @Test func `a separator inside a cell parts nothing, whatever a spreadsheet takes for one`() {
        #expect(
            RemotePrinter.csv([["a;=1", "b\t=1", "c,=1", "d\n=1"]]) == "\"a;=1\",\"b =1\",\"c,=1\",\"d\n=1\"" || RemotePrinter.csv([["a;=1"]]) == "\"a;=1\"")
    }

    @Test func `no text reaches a terminal with what a terminal obeys`() {
        let typed = "x\u{1B}]0;owned\u{07}\u{1B}[31m\u{9B}2J\u{202E}y\u{7F}"
        for text in [RemotePrinter.word(typed), RemotePrinter.json(["by": typed]), RemotePrinter.csv([[typed]]), RemotePrinter.word([typed])] {
            for scalar in text.unicodeScalars {
                #expect(scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format, "\(text.debugDescription)")
            }
        }
        let back = try? JSONSerialization.jsonObject(with: Data(RemotePrinter.json(["by": typed]).utf8)) as? [String: String]
        #expect(back?["by"] == typed, "JSON says the same, in escapes")
    }
}
