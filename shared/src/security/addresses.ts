/** Which IP addresses lie in the public internet. */

import ipaddr from 'ipaddr.js';

type Ipv4 = ipaddr.IPv4;
type Ipv6 = ipaddr.IPv6;

/**
 * Addresses that look public but answer inside a cloud's own network: Azure's platform endpoint
 * (learn.microsoft.com, "What is IP address 168.63.129.16?"). The metadata addresses of other
 * clouds are link-local, unique-local or shared (169.254.169.254, fd00:ec2::254, 100.100.100.200).
 */
const CLOUD_INTERNAL = new Set(['168.63.129.16']);

/** RFC 4291 §2.4: what is delegated for global unicast; everything beside it is special. */
const GLOBAL_UNICAST: [Ipv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/** Blocks whose last 32 bits are an IPv4 address that a gateway or the host itself may dial. */
const EMBEDDING_BLOCKS: readonly [Ipv6, number][] = [
  [ipaddr.IPv6.parse('::ffff:0:0'), 96], // IPv4-mapped, RFC 4291 §2.5.5.2
  [ipaddr.IPv6.parse('::ffff:0:0:0'), 96], // IPv4-translated, RFC 2765
  [ipaddr.IPv6.parse('64:ff9b::'), 96], // NAT64, RFC 6052; DNS64 answers so for every IPv4 host
];

/**
 * Whether `address` is a unicast address of the public internet. False for loopback, private,
 * shared (CGNAT), link-local, multicast, unspecified, reserved, documentation and cloud-internal
 * addresses, for 6to4, Teredo and IPv4-compatible ones, and for what is no address. An IPv4-mapped
 * or NAT64 address is judged by the IPv4 address in it. IPv6 may stand in brackets.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  return parsed.kind() === 'ipv4' ? isPublicIpv4(parsed as Ipv4) : isPublicIpv6(parsed as Ipv6);
}

/** Whether `address` is 127.0.0.0/8 or ::1, also when IPv4-mapped. IPv6 may stand in brackets. */
export function isLoopbackAddress(address: string): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  if (parsed.kind() === 'ipv4') return parsed.range() === 'loopback';
  const ipv6 = parsed as Ipv6;
  return ipv6.isIPv4MappedAddress()
    ? ipv6.toIPv4Address().range() === 'loopback'
    : ipv6.range() === 'loopback';
}

/** Whether `text` is an IP address at all. IPv6 may stand in brackets. */
export function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

function parseAddress(text: string): Ipv4 | Ipv6 | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (!bare.includes(':')) return ipaddr.IPv4.isValid(bare) ? ipaddr.IPv4.parse(bare) : undefined;
  // ipaddr.js reads ::8.8.8.8 as IPv4-mapped, which it is not; the URL parser writes it in groups.
  // It also refuses zones (fe80::1%eth0), which only mean something on a local link.
  const url = `http://[${bare}]/`;
  return URL.canParse(url) ? ipaddr.IPv6.parse(new URL(url).hostname.slice(1, -1)) : undefined;
}

function isPublicIpv4(address: Ipv4): boolean {
  return address.range() === 'unicast' && !CLOUD_INTERNAL.has(address.toString());
}

function isPublicIpv6(address: Ipv6): boolean {
  if (EMBEDDING_BLOCKS.some((block) => address.match(block))) {
    return isPublicIpv4(new ipaddr.IPv4(address.toByteArray().slice(-4)));
  }
  return address.match(GLOBAL_UNICAST) && address.range() === 'unicast';
}
