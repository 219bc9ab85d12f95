import Phrasebook
import Yams

/// A YAML value with its place in the file, read by typed calls that write down every fault instead of stopping at
/// the first.
///
/// Reading a key marks it as known; `finish()` on a mapping reports the keys that nobody asked for.
public final class DocumentNode {
    /// Collects the faults of one file.
    public final class Log {
        /// The faults found so far.
        public fileprivate(set) var issues: [DocumentIssue] = []
        let file: String
        init(file: String) { self.file = file }
        /// Adds a fault found elsewhere, in a table the document names.
        public func add(_ issue: DocumentIssue) { issues.append(issue) }
    }

    let node: Node
    /// The key from the top.
    public let path: String
    /// Where faults go.
    public let log: Log
    private var known: Set<String> = []

    init(node: Node, path: String, log: Log) {
        self.node = node
        self.path = path
        self.log = log
    }

    /// Parses YAML text. Bounded: at most 4 MiB, anchors and aliases refused, so that no file can blow up in memory.
    /// - Throws: `DocumentIssues` with the line when the text is no YAML.
    public static func parse(_ text: String, file: String) throws(DocumentIssues) -> DocumentNode {
        func refuse(_ line: Int?, _ problem: LocalizedText, _ fix: LocalizedText) -> DocumentIssues {
            DocumentIssues([DocumentIssue(file: file, line: line, key: "", problem: problem, fix: fix)])
        }
        guard text.utf8.count <= 4 << 20 else {
            throw refuse(
                nil, .said("文件超过4 MiB", "the file is larger than 4 MiB"),
                .said("把长列表移到meters_file或households_file里", "move long lists into meters_file or households_file"))
        }
        let composed: Node?
        let anchored: Node?
        do {
            let parser = try Parser(yaml: text)
            composed = try parser.singleRoot()
            // A node keeps its anchor only as long as the parser lives.
            anchored = withExtendedLifetime(parser) { composed.flatMap(firstAnchor) }
        } catch let error as YamlError {
            switch error {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                throw refuse(
                    mark.line, .said("不是YAML：\(problem)", "this is not YAML: \(problem)"),
                    .said("检查这一行的缩进和冒号", "check the indentation and the colons at this line"))
            case .duplicatedKeysInMapping(let duplicates, let context):
                let names = duplicates.map { "\($0)" }.sorted().joined(separator: ", ")
                throw refuse(context.mark.line, .said("同一个键写了两次：\(names)", "a key occurs twice: \(names)"), .said("留一个", "keep one of them"))
            default:
                throw refuse(nil, .said("不是YAML", "this is not YAML"), .said("看看文件是不是UTF-8文本", "check that the file is UTF-8 text"))
            }
        } catch {
            throw refuse(nil, .said("不是YAML", "this is not YAML"), .said("看看文件是不是UTF-8文本", "check that the file is UTF-8 text"))
        }
        if let anchored {
            throw refuse(anchored.mark?.line, .said("这里不认锚点和别名", "anchors and aliases are not understood here"), .said("把值直接写出来", "write the value out"))
        }
        guard let composed else { throw refuse(1, .said("文件是空的", "the file is empty"), .said("从README里的例子开始", "start from the example in the README")) }
        return DocumentNode(node: composed, path: "", log: Log(file: file))
    }

    /// The line in the file, counted from 1.
    public var line: Int? { node.mark?.line }

    /// Whether the value is a mapping.
    public var isMapping: Bool { node.mapping != nil }
    /// Whether the value is a list.
    public var isSequence: Bool { node.sequence != nil }
    /// Whether the value is empty or `null`.
    public var isNull: Bool { node.null != nil && node.scalar?.style == .plain }
    /// The scalar's text as written.
    public var text: String? { node.scalar?.string }

    /// Writes down a fault at this value.
    public func report(_ problem: LocalizedText, fix: LocalizedText, severity: DocumentIssue.Severity = .error) {
        log.issues.append(
            DocumentIssue(severity: severity, file: log.file, line: line, key: path, problem: problem, fix: fix))
    }

    /// The value under a key; nil when it is absent. A value that is no mapping reports that once.
    public func child(_ key: String) -> DocumentNode? {
        guard let mapping = node.mapping else { return nil }
        known.insert(key)
        guard let found = mapping.first(where: { $0.key.string == key })?.value else { return nil }
        return DocumentNode(node: found, path: path.isEmpty ? key : "\(path).\(key)", log: log)
    }

    /// The values of a list, or none with a fault when this is no list.
    public func elements() -> [DocumentNode] {
        guard let sequence = node.sequence else {
            report(.said("这里要写成列表", "this must be a list"), fix: .said("每一项前面加一个短横", "put a dash before each entry"))
            return []
        }
        return sequence.enumerated().map { index, node in
            DocumentNode(node: node, path: "\(path)[\(index)]", log: log)
        }
    }

    /// The keys and values of a mapping, or none with a fault when this is no mapping.
    public func entries() -> [(key: String, value: DocumentNode)] {
        guard let mapping = node.mapping else {
            report(.said("这里要写成键和值", "this must be a mapping of keys to values"), fix: .said("每行写`键: 值`", "write `key: value` lines"))
            return []
        }
        return mapping.compactMap { key, value in
            guard let name = key.string else { return nil }
            known.insert(name)
            return (name, DocumentNode(node: value, path: path.isEmpty ? name : "\(path).\(name)", log: log))
        }
    }

    /// Reports every key that was not read, with the nearest known one as a suggestion.
    public func finish() {
        guard let mapping = node.mapping else {
            report(.said("这里要写成键和值", "this must be a mapping of keys to values"), fix: .said("每行写`键: 值`", "write `key: value` lines"))
            return
        }
        for (key, _) in mapping {
            guard let name = key.string, !known.contains(name) else { continue }
            let near = known.filter { distance($0, name) <= 2 }.min()
            let fix: LocalizedText =
                near.map { .said("是不是`\($0)`？", "did you mean `\($0)`?") }
                ?? .said("去掉它；这里可以写：\(known.sorted().joined(separator: "、"))", "remove it; known here: \(known.sorted().joined(separator: ", "))")
            log.issues.append(
                DocumentIssue(
                    file: log.file, line: key.mark?.line, key: path.isEmpty ? name : "\(path).\(name)",
                    problem: .said("没有`\(name)`这个键", "unknown key `\(name)`"), fix: fix))
        }
    }
}

/// The first value with an anchor, in the file's order. An alias can only stand behind its anchor, so the walk stops
/// before any expansion of aliases.
private func firstAnchor(_ node: Node) -> Node? {
    if node.anchor != nil { return node }
    switch node {
    case .mapping(let mapping):
        for (key, value) in mapping {
            if let found = firstAnchor(key) ?? firstAnchor(value) { return found }
        }
        return nil
    case .sequence(let sequence):
        for element in sequence {
            if let found = firstAnchor(element) { return found }
        }
        return nil
    default: return nil
    }
}

/// Levenshtein distance, for suggestions.
private func distance(_ left: String, _ right: String) -> Int {
    let (a, b) = (Array(left), Array(right))
    var row = Array(0...b.count)
    for i in 1...max(a.count, 1) where i <= a.count {
        var diagonal = row[0]
        row[0] = i
        for j in 1...max(b.count, 1) where j <= b.count {
            let above = row[j]
            row[j] = min(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1))
            diagonal = above
        }
    }
    return row[b.count]
}
