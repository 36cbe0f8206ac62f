import type { NetworkRequest, Step } from '@c2m/plugin-api'
import { findCardsCommands } from '../network/card-finder.js'
import { ownServiceSteps } from './own-service.js'

function script(network: NetworkRequest): string {
  return `#!/sbin/openrc-run

description="Lets /etc/network/interfaces name the network cards of this machine."

depend() {
  need localmount
  after hwdrivers modules
  before networking
  keyword -containers -docker -lxc -vserver
}

start() {
${findCardsCommands(network)}
}
`
}

export function networkCardsServiceSteps(owner: string, network: NetworkRequest): readonly Step[] {
  if (network.mode === 'none') return []
  return ownServiceSteps({
    owner,
    name: 'c2m-network-cards',
    script: script(network),
    title: 'the service that finds the network cards',
    runlevel: 'boot',
  })
}
