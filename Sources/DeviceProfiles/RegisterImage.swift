/// What was read of a device in one round: blocks of registers by wire address. Registers that were not read are not
/// there; nothing here is zero for want of an answer.
public struct RegisterImage: Sendable, Hashable {
    /// A stretch of registers that arrived in one answer.
    public struct Block: Sendable, Hashable {
        /// The function code it was read with (3 holding, 4 input).
        public var function: UInt8
        /// The wire address of the first word.
        public var address: UInt16
        /// The words in wire order.
        public var words: [UInt16]

        /// A block of words.
        public init(function: UInt8, address: UInt16, words: [UInt16]) {
            self.function = function
            self.address = address
            self.words = words
        }
    }

    /// The blocks, in the order in which they were read.
    public var blocks: [Block]

    /// An image of some blocks.
    public init(blocks: [Block] = []) { self.blocks = blocks }

    /// The words at an address; nil unless all of them were read in one answer, so that no value is put together
    /// from two moments.
    @inline(__always)
    public func words(function: UInt8, address: UInt16, count: Int) -> ArraySlice<UInt16>? {
        for block in blocks where block.function == function && block.address <= address {
            let offset = Int(address - block.address)
            if offset + count <= block.words.count { return block.words[offset..<offset + count] }
        }
        return nil
    }
}
