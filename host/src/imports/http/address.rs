//! Which addresses the internet reaches, and what the others are.
//!
//! Invariant: an address counts as global only where no range of the table holds it; a form that carries
//! another address inside is in the table as a whole, so that nothing has to be unpacked to be judged.

use std::net::IpAddr;

/// A range of addresses that guests do not reach by default.
struct Range {
    base: &'static str,
    bits: u8,
    what: &'static str,
}

const fn range(base: &'static str, bits: u8, what: &'static str) -> Range {
    Range { base, bits, what }
}

/// IANA's registries of special addresses, and multicast. The first that fits names it.
const SPECIAL: &[Range] = &[
    range("0.0.0.0", 8, "this host"),
    range("10.0.0.0", 8, "private"),
    range("100.64.0.0", 10, "carrier NAT"),
    range("127.0.0.0", 8, "loopback"),
    range("169.254.0.0", 16, "link-local"),
    range("172.16.0.0", 12, "private"),
    range("192.0.0.0", 24, "reserved"),
    range("192.0.2.0", 24, "documentation"),
    range("192.31.196.0", 24, "reserved"),
    range("192.52.193.0", 24, "reserved"),
    range("192.88.99.0", 24, "6to4 relay"),
    range("192.168.0.0", 16, "private"),
    range("192.175.48.0", 24, "reserved"),
    range("198.18.0.0", 15, "benchmarking"),
    range("198.51.100.0", 24, "documentation"),
    range("203.0.113.0", 24, "documentation"),
    range("224.0.0.0", 4, "multicast"),
    range("240.0.0.0", 4, "reserved"),
    range("::", 128, "this host"),
    range("::1", 128, "loopback"),
    range("::ffff:0:0", 96, "IPv4-mapped"),
    range("::ffff:0:0:0", 96, "IPv4-translated"),
    range("64:ff9b::", 96, "NAT64"),
    range("64:ff9b:1::", 48, "NAT64"),
    range("2001::", 32, "Teredo"),
    range("2001::", 23, "reserved"),
    range("2001:db8::", 32, "documentation"),
    range("2002::", 16, "6to4"),
    range("3fff::", 20, "documentation"),
    range("fc00::", 7, "private"),
    range("fe80::", 10, "link-local"),
    range("fec0::", 10, "site-local"),
    range("ff00::", 8, "multicast"),
];

/// Where IPv6 addresses of the internet are; everything else is special without a name of its own.
const GLOBAL_V6: Range = range("2000::", 3, "");

/// What keeps an address from being one of the internet; nothing where it is one.
pub(crate) fn special(address: IpAddr) -> Option<&'static str> {
    let named = SPECIAL.iter().find(|range| holds(range, address)).map(|range| range.what);
    named.or_else(|| (address.is_ipv6() && !holds(&GLOBAL_V6, address)).then_some("reserved"))
}

fn holds(range: &Range, address: IpAddr) -> bool {
    match (range.base.parse(), address) {
        (Ok(IpAddr::V4(base)), IpAddr::V4(address)) => {
            (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(range.bits)
        }
        (Ok(IpAddr::V6(base)), IpAddr::V6(address)) => {
            (base.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(range.bits)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{GLOBAL_V6, SPECIAL, special};
    use crate::observed::observed;

    #[test]
    fn every_special_form_is_known_by_name() {
        let cases = [
            ("0.0.0.0", "this host"),
            ("0.255.255.255", "this host"),
            ("10.0.0.0", "private"),
            ("10.255.255.255", "private"),
            ("100.64.0.0", "carrier NAT"),
            ("100.127.255.255", "carrier NAT"),
            ("127.0.0.1", "loopback"),
            ("127.255.255.255", "loopback"),
            ("169.254.169.254", "link-local"),
            ("172.16.0.0", "private"),
            ("172.31.255.255", "private"),
            ("192.0.0.1", "reserved"),
            ("192.168.1.1", "private"),
            ("198.18.0.0", "benchmarking"),
            ("198.19.255.255", "benchmarking"),
            ("203.0.113.7", "documentation"),
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "reserved"),
            ("::", "this host"),
            ("::1", "loopback"),
            ("::127.0.0.1", "reserved"),
            ("::ffff:127.0.0.1", "IPv4-mapped"),
            ("::ffff:8.8.8.8", "IPv4-mapped"),
            ("::ffff:7f00:1", "IPv4-mapped"),
            ("::ffff:0:7f00:1", "IPv4-translated"),
            ("64:ff9b::7f00:1", "NAT64"),
            ("64:ff9b:1::1", "NAT64"),
            ("100::1", "reserved"),
            ("2001::1", "Teredo"),
            ("2001:2::1", "reserved"),
            ("2001:db8::1", "documentation"),
            ("2002:7f00:1::", "6to4"),
            ("3fff::1", "documentation"),
            ("4000::1", "reserved"),
            ("fc00::1", "private"),
            ("fd00:ec2::254", "private"),
            ("fe80::1", "link-local"),
            ("febf::1", "link-local"),
            ("fec0::1", "site-local"),
            ("ff02::1", "multicast"),
        ];
        for (address, what) in cases {
            assert_eq!(special(address.parse().unwrap()), Some(what), "{address}");
        }
        observed("C13", format_args!("{} addresses in all special ranges known as such", cases.len()));
    }

    #[test]
    fn neighbours_of_the_ranges_are_global() {
        let global = [
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ];
        for address in global {
            assert_eq!(special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn every_row_of_the_table_can_be_read() {
        for range in SPECIAL.iter().chain([&GLOBAL_V6]) {
            assert!(range.base.parse::<IpAddr>().is_ok(), "{}", range.base);
        }
    }
}
