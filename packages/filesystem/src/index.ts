export { fat32Minimum, writeFat32, type Fat32Options, type Fat32Result } from './fat/writer.js'
export { writeSwap, type SwapOptions } from './swap/writer.js'
