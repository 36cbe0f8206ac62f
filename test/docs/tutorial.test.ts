import { expect, it } from 'vitest'
import { TUTORIAL, tutorialWithFiles } from './tutorial.js'

it("the tutorial shows the example's files as they are (vitest -u writes them there)", async () => {
  await expect(await tutorialWithFiles()).toMatchFileSnapshot(TUTORIAL)
})
