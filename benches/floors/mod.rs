//! The floors: a parser that reads every value and keeps none, and a client that sends calls one by one.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

pub(crate) fn read_every_value(text: &str) {
    Every
        .deserialize(&mut serde_json::Deserializer::from_str(text))
        .expect("it is JSON");
}

/// A client with one connection.
pub(crate) struct BareClient {
    reader: BufReader<TcpStream>,
    answer: Vec<u8>,
}

impl BareClient {
    pub(crate) fn connect(url: &str) -> Self {
        let address = url.strip_prefix("http://").expect("it is a plain URL");
        let stream = TcpStream::connect(address).expect("the server runs");
        stream.set_nodelay(true).expect("it is connected");
        Self {
            reader: BufReader::with_capacity(1 << 16, stream),
            answer: Vec::new(),
        }
    }

    /// The body of the answer.
    pub(crate) fn call(&mut self, method: &str, target: &str, body: &str) -> &str {
        let length = body.len();
        let request =
            format!("{method} {target} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}");
        self.exchange(&request).expect("the server answers");
        std::str::from_utf8(&self.answer).expect("it is JSON")
    }

    fn exchange(&mut self, request: &str) -> std::io::Result<()> {
        self.reader.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            self.reader.read_line(&mut line)?;
            if let Some(value) = line.strip_prefix("Content-Length:") {
                length = value.trim().parse().expect("it is a number");
            }
        }
        self.answer.resize(length, 0);
        self.reader.read_exact(&mut self.answer)
    }
}

/// Reads every value and keeps none.
struct Every;

impl<'de> DeserializeSeed<'de> for Every {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! dropped {
    ($($method:ident($type:ty),)*) => {
        $(fn $method<E>(self, value: $type) -> Result<(), E> {
            std::hint::black_box(value);
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for Every {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    dropped! { visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str), }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Every)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Every)?.is_some() {
            map.next_value_seed(Every)?;
        }
        Ok(())
    }
}
