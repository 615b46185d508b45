//! Which hosts pictures may be fetched from: those with public addresses, and the endpoint's.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// A host that may not be asked for pictures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} is {kind}: pictures are fetched from public addresses and from the host of the endpoint only"
)]
pub(super) struct Refused {
    host: String,
    /// `a loopback address`
    kind: String,
}

/// The hosts that may be asked. Resolves names, so that what was checked is what is connected to.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    /// The host of the endpoint, whose address may be of any kind.
    endpoint: Option<String>,
}

impl Hosts {
    pub(super) fn new(endpoint: &str) -> Self {
        let url = Url::parse(endpoint).ok();
        let host = url.as_ref().and_then(Url::host_str);
        Self {
            endpoint: host.map(str::to_owned),
        }
    }

    fn is_endpoint(&self, host: &str) -> bool {
        let is_same = |own: &str| own.eq_ignore_ascii_case(host);
        self.endpoint.as_deref().is_some_and(is_same)
    }

    /// Refuses a URL with an address that is not public. Names are checked once they are resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refused> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let host = url.host_str().unwrap_or_default();
        match kind(address) {
            Some(kind) if !self.is_endpoint(host) => Err(Refused {
                host: host.to_owned(),
                kind: kind.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The addresses that may be connected to.
    fn allowed(&self, name: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        if self.is_endpoint(name) {
            return Ok(found);
        }
        let is_public = |address: &SocketAddr| kind(address.ip()).is_none();
        let (public, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_public);
        let refused = others.first().map(SocketAddr::ip);
        match refused.and_then(|ip| Some((ip, kind(ip)?))) {
            Some((ip, kind)) if public.is_empty() => Err(Refused {
                host: name.to_owned(),
                kind: format!("at {ip}, {kind}"),
            }),
            _ => Ok(public),
        }
    }
}

impl Resolve for Hosts {
    fn resolve(&self, name: Name) -> Resolving {
        let hosts = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let allowed = hosts.allowed(name, found.collect())?;
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

/// What an address is if it is not public.
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    if address.is_loopback() {
        Some("a loopback address")
    } else if address.is_private() || (a == 100 && b & 0xc0 == 64) {
        Some("a private address")
    } else if address.is_link_local() {
        Some("a link-local address")
    } else if a == 0
        || a >= 224
        || (a == 198 && b & 0xfe == 18)
        || [a, b, c] == [192, 0, 0]
        || address.is_documentation()
    {
        Some("not a public address")
    } else {
        None
    }
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [first, second, ..] = address.segments();
    if address.is_loopback() {
        return Some("a loopback address");
    }
    let [.., a, b, c, d] = address.octets();
    let last = Ipv4Addr::new(a, b, c, d);
    // Addresses that lead to one of IPv4: mapped, compatible, NAT64, 6to4.
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            return kind_of_v4(last);
        }
        [0x2002, high, low, ..] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            return kind_of_v4(Ipv4Addr::new(a, b, c, d));
        }
        _ => {}
    }
    if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 || (first, second) == (0x64, 0xff9b) {
        Some("a private address")
    } else if first & 0xffc0 == 0xfe80 {
        Some("a link-local address")
    } else if first & 0xe000 != 0x2000
        || (first, second) == (0x2001, 0xdb8)
        || (first, second) == (0x2001, 0)
    {
        Some("not a public address")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(hosts: &Hosts, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        hosts.check(&url).err().map(|it| it.to_string())
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        let hosts = Hosts::new("https://api.example.com");
        for (host, kind) in [
            ("127.0.0.1", "127.0.0.1 is a loopback address"),
            ("127.1", "127.0.0.1 is a loopback address"),
            ("0x7f000001", "127.0.0.1 is a loopback address"),
            ("[::1]", "[::1] is a loopback address"),
            ("[::ffff:127.0.0.1]", "is a loopback address"),
            ("[64:ff9b::7f00:1]", "is a loopback address"),
            ("[2002:a00:1::]", "is a private address"),
            ("10.1.2.3", "is a private address"),
            ("172.31.0.1", "is a private address"),
            ("192.168.1.1", "is a private address"),
            ("100.64.0.1", "is a private address"),
            ("[fd00::1]", "is a private address"),
            ("169.254.169.254", "is a link-local address"),
            ("[fe80::1]", "is a link-local address"),
            ("0.0.0.0", "is not a public address"),
            ("[::]", "is not a public address"),
            ("255.255.255.255", "is not a public address"),
            ("224.0.0.1", "is not a public address"),
            ("[ff02::1]", "is not a public address"),
        ] {
            let why = refusal(&hosts, &format!("http://{host}:8080/a.png")).unwrap_or_default();
            assert!(why.contains(kind), "{host}: {why}");
            assert!(why.contains("from public addresses"), "{why}");
        }
        for host in [
            "93.184.216.34",
            "[2606:2800:220:1::1]",
            "172.32.0.1",
            "example.com",
        ] {
            assert_eq!(refusal(&hosts, &format!("https://{host}/")), None, "{host}");
        }
    }

    #[test]
    fn only_the_host_of_the_endpoint_may_have_any_address() {
        let hosts = Hosts::new("http://127.0.0.1:8000");
        assert_eq!(refusal(&hosts, "http://127.0.0.1:9000/a.png"), None);
        assert!(refusal(&hosts, "http://127.0.0.2:9000/a.png").is_some());
        assert!(refusal(&hosts, "http://[::1]/a.png").is_some());
        let hosts = Hosts::new("https://Labels.intranet/v2");
        let address = |text: &str| SocketAddr::new(text.parse().unwrap(), 443);
        let (private, public) = (address("10.0.0.5"), address("93.184.216.34"));
        let own = hosts.allowed("labels.intranet", vec![private]);
        assert_eq!(own, Ok(vec![private]));
        let other = hosts.allowed("other.intranet", vec![private]).unwrap_err();
        assert_eq!(
            other.to_string(),
            "other.intranet is at 10.0.0.5, a private address: pictures are fetched from public addresses and from the host of \
             the endpoint only"
        );
        let both = hosts.allowed("other.example", vec![private, public]);
        assert_eq!(both, Ok(vec![public]));
        assert!(Hosts::new("embedded:store.db").endpoint.is_none());
    }
}
