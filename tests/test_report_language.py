import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.report_language import RIGHT_TO_LEFT, find_language, name_attributes, tag_languages

BOATS = {
    "zh-Hans": "渡轮时刻表已经公布，请大家转发，这是为了城市",
    "zh-Hant": "渡輪時刻表已經公佈，請大家轉發，這是為了城市",
    "zh": "中文",
    "ja": "フェリーの時刻表",
    "ko": "여객선 시간표가 바뀌었다",
    "ar": "تم نشر جدول العبارات الجديد في المدينة",
    "fa": "زمان‌بندی کشتی‌ها چاپ شد، گپ و پنجره",
    "ur": "فیری کا نیا ٹائم ٹیبل شائع ہو گیا ہے",
    "he": "לוח הזמנים של המעבורת פורסם",
    "ru": "Расписание паромов опубликовано сегодня",
    "uk": "Розклад поромів опубліковано їхній новий",
    "el": "Το δρομολόγιο των πλοίων",
    "th": "ตารางเวลาเรือ",
    "hi": "नौका की समय सारिणी",
}


@pytest.mark.parametrize(("language", "text"), BOATS.items())
def test_what_is_not_in_latin_letters_gets_its_language(language, text):
    assert find_language(text) == language
    shown = str(tag_languages(f"They wrote “{text}” in May."))
    assert f'lang="{language}"' in shown
    assert ('dir="rtl"' in shown) is (language in RIGHT_TO_LEFT)
    assert re.sub("<[^>]+>", "", shown) == f"They wrote “{text}” in May."


@pytest.mark.parametrize("text", ["ferry", "α", "12 € – 3", "", "el transbordador salió"])
def test_latin_letters_and_single_foreign_ones_do_not_tell(text):
    assert find_language(text) is None
    assert str(tag_languages(text)) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("渡轮 timetable", '<span lang="zh-Hans">渡轮</span> timetable'),
        ("香港 HK 渡輪 2031年", '<span lang="zh-Hant">香港</span> HK <span lang="zh-Hant">渡輪 2031年</span>'),
        ("العبارة", '<bdi lang="ar" dir="rtl">العبارة</bdi>'),
        ("see المدينة now", 'see <bdi lang="ar" dir="rtl">المدينة</bdi> now'),
        ("1: “العبارة Harbour 7”, 9", '1: “<bdi lang="ar" dir="rtl">العبارة Harbour 7</bdi>”, 9'),
        ("قال “نعم <b>” ثم", '<bdi lang="ar" dir="rtl">قال “نعم &lt;b&gt;” ثم</bdi>'),
        ("“العبارة” has 2 posts", '“<bdi lang="ar" dir="rtl">العبارة</bdi>” has 2 posts'),
        ("Harbour “العبارة”", 'Harbour “<bdi lang="ar" dir="rtl">العبارة</bdi>”'),
        ("\u07ca\u07cb", '<bdi lang="und" dir="rtl">\u07ca\u07cb</bdi>'),
    ],
)
def test_words_from_right_to_left_are_kept_apart_and_a_unit_has_one_chinese(text, html):
    assert str(tag_languages(text)) == html


@given(st.text(st.sampled_from("“”ab <>&\"'渡輪العבא\u05d0\u202eд7.")))
def test_tags_never_change_the_words(text):
    shown = str(tag_languages(text))
    bare = re.sub(r'</?(?:span|bdi)(?: lang="[a-zA-Z-]+")?(?: dir="rtl")?>', "", shown)
    assert not set(bare) & set("<>\"'")
    unescaped = bare.replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"').replace("&#39;", "'")
    assert unescaped.replace("&amp;", "&") == text


@pytest.mark.parametrize(
    ("code", "attributes"),
    [
        ("zh-Hant", ' lang="zh-Hant" dir="auto"'),
        ("ar", ' lang="ar" dir="rtl"'),
        ("fa-AF", ' lang="fa-AF" dir="rtl"'),
        ("es", ' lang="es" dir="auto"'),
        ("und", ' dir="auto"'),
        (None, ' dir="auto"'),
        ('x" onclick="y', ' dir="auto"'),
        (7, ' dir="auto"'),
    ],
)
def test_a_whole_text_of_a_known_language_says_so(code, attributes):
    assert str(name_attributes(code)) == attributes
