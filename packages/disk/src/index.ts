export type * from './block/target.js'
