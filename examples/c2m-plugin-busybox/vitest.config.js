// vitest looks for this file in the folders above, too
export default {}
