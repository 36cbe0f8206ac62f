export { writeOciLayout, type LayoutImage } from './fixtures/oci-layout.js'
export { debianImage, type DebianImageOptions } from './fixtures/debian.js'
export { startDockerDaemon, type DockerDaemon } from './judges/docker-daemon.js'
