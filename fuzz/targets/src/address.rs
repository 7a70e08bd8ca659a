//! The address guard: what a guest's URI leads to, and which addresses are of the internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hubcap::fuzzing::{Request, request, special_address};
use hubcap::origin::{Origin, Scheme};
use url::{Host, Url};

/// The bytes as addresses and as a URI.
pub(crate) fn run(data: &[u8]) {
    for four in data.windows(4).take(32) {
        judge_v4(Ipv4Addr::from(<[u8; 4]>::try_from(four).unwrap()));
    }
    for sixteen in data.windows(16).take(32) {
        judge_v6(Ipv6Addr::from(<[u8; 16]>::try_from(sixteen).unwrap()));
    }
    for line in crate::lossy(data).lines().take(32) {
        if let Ok(address) = line.parse() {
            judge(address);
        }
        if let Some(read) = request(line) {
            requested(line, &read);
        }
    }
}

fn judge(address: IpAddr) {
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => judge_v6(address),
    }
}

/// What the standard library knows to be special counts as special.
fn judge_v4(address: Ipv4Addr) {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
        || ([a, b, c] == [192, 0, 0]);
    assert!(!special || special_address(address.into()).is_some(), "{address} passes for the internet");
    // However it is carried, an address is never reached by way of another one.
    for carrier in [address.to_ipv6_mapped(), address.to_ipv6_compatible()] {
        assert!(special_address(carrier.into()).is_some(), "{carrier} carries {address}");
    }
    let [high, low] = [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, address.octets()[3]])];
    for carrier in [
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
    ] {
        assert!(special_address(carrier.into()).is_some(), "{carrier} carries {address}");
    }
}

fn judge_v6(address: Ipv6Addr) {
    let special = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4().is_some()
        || address.segments()[0] & 0xe000 != 0x2000;
    assert!(!special || special_address(address.into()).is_some(), "{address} passes for the internet");
}

/// What holds for a URI that was let through.
fn requested(written: &str, read: &Request) {
    let Request { origin, authority, path } = read;
    let host = origin.host.as_ref().expect("a request goes to one host");
    assert!(origin.port > 0);
    assert!(path.starts_with('/') && !path.starts_with("//"), "{written:?} asks for {path:?}");
    assert!(!authority.contains(['@', '/', '\\', '?', '#', '%', ' ']), "{written:?} became {authority:?}");
    assert!(authority.is_ascii() && *authority == authority.to_ascii_lowercase(), "{authority:?}");
    // What the log offers the operator to grant is what was asked for, and no more.
    assert_eq!(Origin::parse(&origin.to_string()).as_ref(), Ok(origin), "{written:?}");
    let again = request(&format!("{}://{authority}{path}", origin.scheme)).expect("its own form is read");
    assert_eq!((&again.origin, &again.authority), (origin, authority), "{written:?} has two forms");
    others_agree(written, origin.scheme, host);
}

/// The host is the one that a browser would go to.
fn others_agree(written: &str, scheme: Scheme, host: &Host<String>) {
    let Ok(url) = Url::parse(written) else { return };
    assert_eq!(url.scheme(), scheme.to_string());
    let theirs = url.host().map(|host| host.to_owned());
    let theirs = theirs.map(|host| match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(&name).to_owned()),
        address => address,
    });
    assert_eq!(theirs.as_ref(), Some(host), "{written:?}");
}
