"""What the report says, in English and Korean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Lang", "Words"]

Lang = Literal["en", "ko"]

_TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("Backtest of alerts", "알림 백테스트"),
    "other": ("한국어", "English"),
    "signals": ("signals", "신호"),
    "counts": (
        "{signals} signals from {alerts} alerts; {entered} could have been traded, on {tickers} "
        "tickers and {days} days",
        "알림 {alerts}건에서 신호 {signals}건, 그중 {entered}건 매매 가능 "
        "(종목 {tickers}개, 거래일 {days}일)",
    ),
    "range": ("known from {first} to {last} (UTC)", "신호 기간 {first} ~ {last} (UTC)"),
    "main": ("{horizon}, less the market", "{horizon}, 시장 조정"),
    "band": ("95 % band", "95% 구간"),
    "placebo": ("Placebo, same tickers on other days", "위약 검정: 같은 종목, 다른 날"),
    "placebo_short": ("placebo", "위약"),
    "net": ("After costs of {cost} a round trip", "왕복 비용 {cost} 차감 후"),
    "hits": ("Hit rate", "적중률"),
    "hits_of": ("{hits} of {n}", "{n}건 중 {hits}건"),
    "few": ("fewer than {least}: counts only", "{least}건 미만: 건수만 표시"),
    "nothing": (
        "Too few signals could be traded for any figure.",
        "매매 가능한 신호가 적어 수치를 내지 않습니다.",
    ),
    "chance": (
        "Not told apart from chance: {why}.",
        "우연과 구별되지 않습니다: {why}.",
    ),
    "not_chance": (
        "Told apart from chance at this horizon taken alone; {tests} cells were tested.",
        "이 구간만 보면 우연과 구별됩니다. 검정한 칸은 {tests}개입니다.",
    ),
    "why_band": ("the band holds 0", "구간이 0을 포함"),
    "why_placebo": ("the placebo does as well (p {p})", "위약도 비슷함 (p {p})"),
    "hypothesis": (
        "The side of each trade is a hypothesis, fixed before looking: long after deals and "
        "expansions, short after cancelled and denied ones; short after tightened export controls, "
        "long after relaxed ones. The second table leaves it out.",
        "매매 방향은 결과를 보기 전에 정한 가설입니다. 거래·확장은 매수, 취소·부인은 매도, "
        "수출통제 강화는 매도, 완화는 매수입니다. 두 번째 표는 방향을 적용하지 않았습니다.",
    ),
    "by_horizon": ("By horizon", "구간별"),
    "cells": ("By group: with the side of the trade", "집단별: 매매 방향 적용"),
    "cells_plain": ("By group: as it was, without a side", "집단별: 방향 없이 그대로"),
    "cells_note": (
        "Mean abnormal return, and the number of observations. The deeper the colour, the larger "
        "the t-value with errors by day. ● marks an adjusted p under 0.05 over all {tests} cells "
        "tested (Benjamini–Hochberg); with so many cells some look large by chance. Horizons and "
        "groups without any figure are left out here; what is missing is counted below.",
        "평균 초과수익률과 관측 수. 색이 진할수록 일별 군집 t값이 큽니다. ●는 검정한 칸 {tests}개 "
        "전체에서 보정한 p가 0.05 미만인 칸입니다(벤저미니–호크버그). 칸이 많으면 우연히 커 보이는 "
        "칸이 생깁니다. 수치가 하나도 없는 구간과 집단은 여기서 뺐고, 아래에 건수를 적었습니다.",
    ),
    "curve": ("Around the event", "이벤트 전후"),
    "curve_note": (
        "Mean cumulative abnormal return from 5 trading days before to 20 after, close to close, "
        "with the side of the trade. Day 0 is the session in which, or before which, the alert "
        "became known: what stands before it could not be traded.",
        "5거래일 전부터 20거래일 뒤까지 종가 기준 평균 누적 초과수익률(매매 방향 적용). 0일은 "
        "알림이 알려진 거래일, 장 마감 뒤라면 그다음 거래일입니다. 그 이전 구간은 매매할 수 "
        "없었던 수익입니다.",
    ),
    "curve_cross": ("±1.96 errors", "±1.96 표준오차"),
    "curve_boot": ("bootstrap by day", "일별 부트스트랩"),
    "curve_plain": ("without a side", "방향 없이"),
    "curve_signed": ("with the side", "매매 방향 적용"),
    "trading_days": ("trading days", "거래일"),
    "missing": ("What has no figure", "수치가 없는 것"),
    "missing_note": (
        "Nothing is dropped in silence: each signal without a tradable price, and each horizon "
        "without a figure.",
        "빠진 것은 모두 적습니다: 매매할 가격이 없던 신호, 수치가 없는 구간.",
    ),
    "missing_none": ("Nothing is missing.", "빠진 것이 없습니다."),
    "observations": ("All signals", "모든 신호"),
    "rules": ("Rule set", "규칙 집합"),
    "training": ("Weights learned from", "가중치 학습 자료"),
    "training_unknown": (
        "The training window of this rule set is not known.",
        "이 규칙 집합의 학습 기간은 알 수 없습니다.",
    ),
    "labels": (
        "{labels} labels, {undated} of them undated",
        "라벨 {labels}건, 그중 날짜 없음 {undated}건",
    ),
    "overlap": ("overlaps the backtest", "백테스트 기간과 겹침"),
    "no_overlap": ("apart from it", "겹치지 않음"),
    "overlap_note": (
        "The reader's weights were learned from headlines of the same months: it reads them better "
        "than it would read new ones. Prices played no part in learning.",
        "판독기 가중치를 같은 달의 기사로 학습했으므로 새 기사보다 잘 읽습니다. 학습에 주가는 쓰지 "
        "않았습니다.",
    ),
    "method": ("How it was measured", "측정 방법"),
    "method_1": (
        "Entry is the first price in a regular session that was made after the alert was known; a "
        "bar that had begun by then is no entry. Horizons count from the entry; trading days end "
        "at the close.",
        "진입가는 알림이 알려진 뒤 정규장에서 처음 나온 가격입니다. 그때 이미 시작된 봉은 쓰지 "
        "않습니다. 구간은 진입 시점부터 세고, 거래일은 종가로 끝납니다.",
    ),
    "method_2": (
        "Abnormal is the return less beta times the benchmark's; beta from closes known at the "
        "decision. Splits are counted in; a step that looks like a split without a record, or a "
        "stale price, has no figure.",
        "초과수익률은 수익률에서 베타 × 지수 수익률을 뺀 값이고, 베타는 판단 시점까지 알려진 "
        "종가로 구합니다. 액면분할은 반영하며, 기록 없이 분할로 보이는 급변이나 오래된 가격에는 "
        "수치를 내지 않습니다.",
    ),
    "method_3": (
        "One signal for each story and party, at its first telling ({kinds}). Bands: bootstrap of "
        "whole days ({boot} draws, seed {seed}). p: t with errors clustered by day. BMP: the "
        "standardised cross-sectional test. Hit rate: Wilson. Placebo: {draws} draws of days more "
        "than {near} sessions from any alert on the ticker, within the alerts' time and a year "
        "before.",
        "이야기와 당사자마다 첫 알림({kinds}) 하나만 셉니다. 구간: 하루 단위 부트스트랩 {boot}회"
        "(시드 {seed}). p: 일별 군집 오차의 t 검정. BMP: 표준화 횡단면 검정. 적중률: 윌슨 구간. "
        "위약: 알림 기간과 그 1년 전까지, 같은 종목 알림에서 {near}거래일 넘게 떨어진 날을 "
        "{draws}회 추출.",
    ),
    "command": ("Made by", "실행 명령"),
    "without_placebo": (
        "{count} signals have no placebo day: an alert is near each of them.",
        "신호 {count}건은 가까운 날에 늘 다른 알림이 있어 위약일이 없습니다.",
    ),
    # columns
    "horizon": ("horizon", "구간"),
    "reason": ("reason", "이유"),
    "count": ("count", "건수"),
    "tickers": ("tickers", "종목"),
    "mean": ("mean", "평균"),
    "median": ("median", "중앙값"),
    "n": ("n", "n"),
    "days": ("days", "일수"),
    "placebo_p": ("its p", "위약 p"),
    "bands_note": ("In brackets: 95 % bands", "괄호: 95% 구간"),
    "t": ("t", "t"),
    "t_days": ("t by day", "군집 t"),
    "bmp": ("BMP", "BMP"),
    "p": ("p", "p"),
    "p_adjusted": ("p adj.", "보정 p"),
    "net_short": ("after costs", "비용 후"),
    "known": ("known (UTC)", "알려진 때 (UTC)"),
    "ticker": ("ticker", "종목"),
    "what": ("what", "내용"),
    "side": ("side", "방향"),
    "at_entry": ("entry", "진입"),
    "entry": ("entry (UTC)", "진입 (UTC)"),
    "price": ("price", "가격"),
    "group": ("group", "집단"),
    "all": ("all", "전체"),
    "long": ("long", "매수"),
    "short": ("short", "매도"),
    "none": ("none", "없음"),
    # groups
    "type": ("type", "유형"),
    "status": ("status", "상태"),
    "direction": ("direction", "통제 방향"),
    "lang": ("language", "언어"),
    "severity": ("severity", "중요도"),
    "novelty": ("novelty", "새로움"),
    "kind": ("kind", "종류"),
    "en": ("English", "영어"),
    "ko": ("Korean", "한국어"),
    "first": ("first telling", "첫 소식"),
    "again": ("again within 14 days", "14일 안 재등장"),
    "follow_up": ("follow-up", "후속 보도"),
    # horizons
    "PT1M": ("1 min", "1분"),
    "PT5M": ("5 min", "5분"),
    "PT30M": ("30 min", "30분"),
    "PT1H": ("1 h", "1시간"),
    "close": ("close", "종가"),
    "day+1": ("+1 day", "+1일"),
    "day+5": ("+5 days", "+5일"),
    "day+20": ("+20 days", "+20일"),
    # reasons
    "no_ticker": ("stories that name no listed company", "상장사가 없는 이야기"),
    "not_in_files": ("the price files hold nothing of it", "가격 파일에 없음"),
    "no_market": ("its market is in no calendar", "거래소 달력에 없음"),
    "beyond_data": ("after the end of the prices", "가격 자료가 끝난 뒤"),
    "ended": ("its prices end: delisted, or the file ends", "가격이 끊김: 상장폐지 또는 파일 끝"),
    "halted": ("not traded by the next whole session", "다음 거래일까지 거래 없음"),
    "past_close": ("the session ended before", "그 전에 장 마감"),
    "no_price": ("no price by then", "그때까지 가격 없음"),
    "stale": ("the last price was too old", "오래된 가격"),
    "split_like": (
        "a jump like a split that no record tells of",
        "분할로 보이는 급변, 기록 없음",
    ),
    "no_benchmark": ("no benchmark price: raw only", "지수 가격 없음: 원수익률만"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language; ``name`` says the names of the messages (types, statuses)."""

    lang: Lang
    name: Callable[[str], str]

    def __call__(self, key: str, **values: object) -> str:
        """Return a text of the report."""
        english, korean = _TEXTS[key]
        return (korean if self.lang == "ko" else english).format(**values)

    def group_value(self, group: str, value: str) -> str:
        """Return a group's value in words."""
        return self(value) if group in ("all", "lang", "novelty") else self.name(value)
