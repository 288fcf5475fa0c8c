//! What the value of one setting may be. Each function gives the value, or says in words what is allowed.

use super::Roles;
use highwater_spec::log::clean::Ratio;
use highwater_spec::values::BrokerId;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// A whole number within `range`, which must lie within `N`.
pub(super) fn whole<N: TryFrom<i64>>(range: RangeInclusive<i64>) -> impl Fn(&str) -> Result<N, String> {
    move |text| {
        let number = text.parse::<i64>().ok().filter(|number| range.contains(number));
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A number of bytes from `least` up to the greatest of Kafka's 32-bit integers.
pub(super) fn bytes(least: i64) -> impl Fn(&str) -> Result<u32, String> {
    whole(least..=i32::MAX.into())
}

/// Milliseconds, from `least`.
pub(super) fn millis(least: i64) -> impl Fn(&str) -> Result<Duration, String> {
    let number = whole::<u64>(least..=i32::MAX.into());
    move |text| number(text).map(Duration::from_millis)
}

/// A number from 0 to 1.
pub(super) fn ratio(text: &str) -> Result<Ratio, String> {
    parse_ratio(text).ok_or_else(|| "a number from 0 to 1".to_owned())
}

/// A number from 0 to 1, in millionths.
pub fn parse_ratio(text: &str) -> Option<Ratio> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=1.0).contains(number))?;
    Some(Ratio((number * 1e6).round() as u32))
}

/// `delete`, `compact`, or both.
pub(super) fn cleanup_policy(text: &str) -> Result<String, String> {
    let known = !text.is_empty() && list(text).all(|policy| ["delete", "compact"].contains(&policy));
    if known { Ok(text.to_owned()) } else { Err("delete, compact or delete,compact".to_owned()) }
}

/// `true` or `false`, in any case.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

pub(super) fn node_id(text: &str) -> Result<BrokerId, String> {
    whole(0..=i32::MAX.into())(text).map(BrokerId)
}

pub(super) fn optional_text(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(super) fn directory(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() || text.contains(',') {
        return Err("one directory (several are not supported yet)".to_owned());
    }
    Ok(PathBuf::from(text))
}

pub(super) fn process_roles(text: &str) -> Result<Roles, String> {
    let roles: Vec<_> = list(text).collect();
    let known = roles.iter().all(|role| ["broker", "controller"].contains(role));
    let distinct = roles.len() < 2 || roles[0] != roles[1];
    if roles.is_empty() || roles.len() > 2 || !known || !distinct {
        return Err("broker, controller or broker,controller".to_owned());
    }
    Ok(Roles { broker: roles.contains(&"broker"), controller: roles.contains(&"controller") })
}

/// The elements of a list with commas, without white space around them; an empty text is an empty list.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|element| !element.is_empty())
}
