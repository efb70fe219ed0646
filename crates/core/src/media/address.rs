//! Which network addresses may be spoken to: public ones, nothing else (decision C12). Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Is it a public address, also when another is wrapped in it?
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA's special-purpose registry, everything that is not globally reachable, and multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224.., ..)
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let part = address.segments();
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = part {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only global unicast. That leaves out mapped, compatible, loopback, link-local, unique-local and multicast at once.
    if !(0x2000..=0x3fff).contains(&part[0]) {
        return false;
    }
    !matches!(
        part,
        // Protocol assignments with Teredo and ORCHID; documentation; 6to4, which wraps any v4 address.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..]
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::is_public;

    #[test]
    fn nothing_private_passes_in_any_dress() {
        let hostile = "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.1.2.3 169.254.169.254 169.254.0.1 \
            172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.5 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.168.255.255 \
            192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255 \
            :: ::1 ::2 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:192.168.1.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 \
            64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b::c0a8:101 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 \
            2001:20::1 2001:1ff::1 2001:db8::1 2001:db8:ffff::1 2002:7f00:1:: 2002:a00:1:: 2002:c0a8:101::1 3fff::1 3fff:fff::1 5f00::1 \
            fc00::1 fd00::1 fdff:ffff::1 fe80::1 febf::1 fec0::1 feff::1 ff02::1 ff0e::1 4000::1 8000::1";
        for text in hostile.split_whitespace() {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn metas_own_addresses_pass() {
        for text in "157.240.1.35 31.13.64.1 179.60.192.7 8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 \
            2a03:2880:f003:c07:face:b00c::2 2620:0:1c00::1 2001:4860:4860::8888 64:ff9b::9df0:123"
            .split_whitespace()
        {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
