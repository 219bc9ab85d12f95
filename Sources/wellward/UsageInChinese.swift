import Foundation

/// The words that the argument parser puts around ours, in Chinese. What it says in words not listed here stays in English rather
/// than being lost.
enum UsageInChinese {
    /// A help page or a usage error of the argument parser.
    static func translate(_ text: String) -> String {
        words.reduce(text) { text, word in
            text.replacingOccurrences(of: "(?m)\(word.english)", with: word.chinese, options: .regularExpression)
        }
    }

    private static let words: [(english: String, chinese: String)] = [
        ("^OVERVIEW: ", ""), ("^USAGE: ", "用法："), ("^Usage: ", "用法："), ("^Help:  ", "说明："), ("^Error: ", "错误："),
        ("^ARGUMENTS:$", "参数："), ("^OPTIONS:$", "选项："), ("^SUBCOMMANDS:$", "子命令："),
        ("Show the version\\.$", "显示版本。"), ("Show help information\\.$", "显示帮助。"),
        ("Show subcommand help information\\.$", "显示子命令的帮助。"),
        ("^  See '(.*) --help' for more information\\.", "  详见：$1 --help"),
        ("^  See '(.*) <subcommand>' for detailed help\\.", "  某个子命令的帮助：$1 <子命令>"),
        ("<subcommand>", "<子命令>"),
        ("\\(values:\\s+", "(可选："), ("\\(default:\\s+", "(默认："), (";(\\s+)default:\\s+", ";$1默认："),
        ("Missing expected argument '(.*)'$", "缺少参数'$1'"), ("Missing one of: (.*)$", "缺少其中之一：$1"),
        ("Missing value for '(.*)'$", "'$1'没有写值"), ("Missing required subcommand\\.", "缺少子命令。"),
        ("Unknown option '(.*)'\\. Did you mean '(.*)'\\?$", "没有'$1'这个选项。是不是'$2'？"), ("Unknown option '(.*)'$", "没有'$1'这个选项"),
        ("Unexpected argument '(.*)'$", "多出了'$1'"), ("(\\d+) unexpected arguments: (.*)$", "多出了$1个参数：$2"),
        ("The option '(.*)' does not take any value, but '(.*)' was specified\\.", "选项'$1'不带值，却写了'$2'。"),
        ("The value '(.*)' is invalid for '(.*)'\\. Please provide one of the following:$", "'$2'不能是'$1'。可以是："),
        ("The value '(.*)' is invalid for '(.*)'\\. Please provide one of (.*)\\.$", "'$2'不能是'$1'。可以是$3。"),
        ("(可以是'.*') (?:or|and) '", "$1或'"),
        ("The value '(.*)' is invalid for '(.*)'$", "'$2'不能是'$1'"),
    ]
}
