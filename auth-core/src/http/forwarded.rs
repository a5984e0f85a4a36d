//! Which address a client has.

use std::net::{IpAddr, SocketAddr};

use http::HeaderName;
use ipnet::IpNet;

use super::RequestHead;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's, or what trusted proxies say of it.
///
/// `X-Forwarded-For` is read from its end, one step for each trusted proxy; the first address that
/// is not a trusted proxy's is the client's.
///
/// # Security
///
/// Without trusted proxies the header is not looked at: any client can write it.
#[must_use]
pub fn client_ip(head: &RequestHead<'_>, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = head.peer?.to_canonical();
    if !is_trusted(&client) {
        return Some(client);
    }
    let hops = head.headers.get_all(&X_FORWARDED_FOR).iter().rev();
    for hop in hops.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(',')) {
        // A hop that cannot be read ends the chain: what stands before it is hearsay.
        let Some(ip) = parse(hop.trim()) else { break };
        client = ip;
        if !is_trusted(&client) {
            break;
        }
    }
    Some(client)
}

fn parse(hop: &str) -> Option<IpAddr> {
    let ip = hop
        .parse::<IpAddr>()
        .or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()))
        .or_else(|_| hop.trim_matches(['[', ']']).parse::<IpAddr>());
    ip.ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, Uri};

    use super::*;
    use crate::http::AdapterRequest;

    #[test]
    fn believes_only_trusted_proxies() {
        let cases: [(&str, &[&str], &[&str], &str); 8] = [
            ("203.0.113.9", &["6.6.6.6"], &[], "203.0.113.9"),
            ("203.0.113.9", &["6.6.6.6"], &["10.0.0.0/8"], "203.0.113.9"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.7"], &["10.0.0.0/8"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7", "10.0.0.2"], &["10.0.0.0/8"], "198.51.100.7"),
            ("10.0.0.1", &["6.6.6.6, junk, 10.0.0.2"], &["10.0.0.0/8"], "10.0.0.2"),
            ("10.0.0.1", &[], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1", &["[2001:db8::1]:443"], &["10.0.0.0/8"], "2001:db8::1"),
        ];
        for (peer, hops, trusted, expected) in cases {
            let mut headers = HeaderMap::new();
            for hop in hops {
                headers.append(&X_FORWARDED_FOR, HeaderValue::from_str(hop).unwrap());
            }
            let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
            let head = RequestHead {
                method: &Method::GET,
                uri: &Uri::from_static("/"),
                headers: &headers,
                peer: Some(peer.parse().unwrap()),
                adapter: AdapterRequest::NONE,
            };
            assert_eq!(client_ip(&head, &trusted), Some(expected.parse().unwrap()), "{hops:?}");
        }
    }
}
