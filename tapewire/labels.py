"""The words for kinds, types, statuses and roles, in English and Korean."""

import re
from collections.abc import Mapping

from tapewire.figures import Lang

__all__ = ["field_label", "milestone_label", "word"]

_KOREAN_WORDS: Mapping[str, str] = {
    # kinds of alert
    "new": "신규",
    "confirmed": "주가 확인",
    "spill_over": "파급",
    "status_changed": "상태 변경",
    "unexplained_move": "원인 미상 변동",
    "explained": "원인 확인",
    "corrected": "정정",
    "retracted": "철회",
    "superseded": "통합",
    # types
    "deal": "거래",
    "export_control": "수출통제",
    "expansion": "확장",
    # deal status, direction, severity
    "rumored": "관측",
    "in_talks": "협의 중",
    "agreed": "합의",
    "signed": "체결",
    "closed": "완료",
    "cancelled": "취소",
    "denied": "부인",
    "tighten": "강화",
    "relax": "완화",
    "unclear": "불분명",
    "low": "낮음",
    "medium": "보통",
    "high": "높음",
    # roles
    "buyer": "구매",
    "customer": "고객",
    "supplier": "공급",
    "investor": "투자",
    "investee": "피투자",
    "acquirer": "인수",
    "target": "피인수",
    "partner": "협력",
    "owner": "사업자",
    "authority": "당국",
    "counterpart": "상대국",
    "affected": "영향",
    "lessor": "임대",
    "lessee": "임차",
    "party": "당사자",
    "peer": "동종",
    "related": "관련",
    # a move that a headline tells of
    "up": "상승",
    "down": "하락",
    # kinds of amount
    "deal_value": "거래액",
    "capex": "설비투자",
    "stake": "지분",
    "valuation": "기업가치",
    "revenue": "매출",
    "prepayment": "선급금",
    "price": "가격",
    "loan": "대출",
    "other": "기타",
    # parts of the trading day, and what is to be known about prices
    "pre": "장전",
    "post": "장후",
    "no_price": "기준 가격 없음",
    "stale": "오래된 가격",
    "split": "액면분할 반영",
    "split_like": "분할로 보이는 급변, 기록 없음",
    # why an alert was held back
    "cooldown": "최근 전달",
    "budget": "주간 한도",
    "untold": "미전달 건의 종료",
    "outdated": "이후 개정 있음",
    # how exact an amount is
    "approx": "약",
    "at_least": "이상",
    "up_to": "최대",
}
_ENGLISH_WORDS: Mapping[str, str] = {
    "deal_value": "deal value",
    "capex": "capital spending",
    "pre": "pre-market",
    "post": "after hours",
    "split": "split counted in",
    "approx": "about",
    "at_least": "at least",
    "up_to": "up to",
}

_FIELDS: Mapping[str, str] = {
    "parties": "당사자",
    "tickers": "종목",
    "amounts": "금액",
    "term": "기간",
    "quantities": "규모",
    "places": "장소",
    "moves": "주가",
    "evidence": "근거",
    "headlines": "기사",
    "alert": "알림",
    "since": "기준",
    "adjusted": "초과",
    "thresholds": "기준값",
    "severity": "중요도",
    "rules": "규칙",
    "rule set": "규칙 집합",
    "supersedes": "대체",
    "why": "이유",
    "causes": "가능 원인",
    "claimed": "기사상 등락",
    "novelty": "신규성",
}

_LEVEL = re.compile(r"level:([+-])(\d+(?:\.\d+)?)", re.ASCII)
_SPAN = re.compile(r"PT(\d+)([MH])", re.ASCII)
_CLOSES: Mapping[str, tuple[str, str]] = {
    "close": ("at the close", "종가"),
    "next_close": ("next close", "다음 종가"),
    "session": ("since the previous close", "전일 종가 대비"),
}


def word(name: str, lang: Lang) -> str:
    """Return the word for a name of the messages; a name without one stands for itself."""
    if lang == "ko" and name in _KOREAN_WORDS:
        return _KOREAN_WORDS[name]
    return _ENGLISH_WORDS.get(name, name.replace("_", " "))


def field_label(name: str, lang: Lang) -> str:
    """Return what a line of an alert begins with."""
    return _FIELDS.get(name, name) if lang == "ko" else name


def milestone_label(milestone: str, lang: Lang) -> str:
    """Return a milestone in words: ``level:+0.20`` is "past +20 %", ``PT5M`` "5 min after"."""
    level = _LEVEL.fullmatch(milestone)
    if level is not None:
        ratio = f"{level[1]}{float(level[2]) * 100:g} %"
        return f"{ratio} 돌파" if lang == "ko" else f"past {ratio}"
    span = _SPAN.fullmatch(milestone)
    if span is not None:
        minutes = int(span[1]) * (60 if span[2] == "H" else 1)
        if lang == "ko":
            return f"{minutes}분 뒤" if minutes < 60 else f"{minutes // 60}시간 뒤"
        return f"{minutes} min after" if minutes < 60 else f"{minutes // 60} h after"
    english, korean = _CLOSES.get(milestone, (milestone, milestone))
    return korean if lang == "ko" else english
