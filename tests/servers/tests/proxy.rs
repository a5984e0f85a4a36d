//! What tests may rely on.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use auth_test_servers::Proxy;

/// A proxy in front of a server that says everything back.
fn echo() -> Proxy {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            thread::spawn(move || std::io::copy(&mut client.try_clone().unwrap(), &mut client));
        }
    });
    Proxy::to(address)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Says something, and what comes back until so much or the end.
fn say(stream: &mut TcpStream, words: &str) -> String {
    let mut back = vec![0; words.len()];
    let mut read = 0;
    if stream.write_all(words.as_bytes()).is_ok() {
        while read < back.len() {
            match stream.read(&mut back[read..]) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                    break;
                }
            }
        }
    }
    String::from_utf8(back[..read].to_vec()).unwrap()
}

#[test]
fn passes_everything_on_until_it_is_told_otherwise() {
    let proxy = echo();
    let mut one = connect(&proxy);
    assert_eq!(say(&mut one, "hello"), "hello");
    proxy.cut();
    assert_eq!(say(&mut one, "hello"), "");
    let mut two = connect(&proxy);
    assert_eq!(say(&mut two, "hello"), "hello");
    proxy.refuse(true);
    assert_eq!(say(&mut two, "still here"), "still here");
    assert_eq!(say(&mut connect(&proxy), "hello"), "");
    proxy.refuse(false);
    assert_eq!(say(&mut connect(&proxy), "hello"), "hello");
}

#[test]
fn cuts_one_answer_in_its_middle() {
    let proxy = echo();
    let (mut one, mut two) = (connect(&proxy), connect(&proxy));
    proxy.cut_after(7);
    assert_eq!(say(&mut one, "hello"), "hello");
    assert_eq!(say(&mut one, "hello"), "he");
    assert_eq!(say(&mut two, "hello"), "hello");
}

#[test]
fn loses_the_answer_to_some_words() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    proxy.cut_after_saying("bye");
    assert_eq!(say(&mut stream, "hello"), "hello");
    assert_eq!(say(&mut stream, "well, bye now"), "");
    assert_eq!(say(&mut connect(&proxy), "bye"), "bye");
}

#[test]
fn delays_answers() {
    let proxy = echo();
    let mut stream = connect(&proxy);
    let delay = Duration::from_millis(200);
    proxy.delay(delay);
    let begun = Instant::now();
    assert_eq!(say(&mut stream, "hello"), "hello");
    assert!(begun.elapsed() >= delay);
}
