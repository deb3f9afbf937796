"""Words as the hub compares them."""

import threading
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import terms as module
from hub.terms import (
    MAX_QUERY_TERMS,
    MAX_TERMS,
    MAX_WORD,
    digits,
    fold,
    has_terms,
    is_phone,
    phone_grams,
    query_terms,
    term_spans,
    terms,
    trigrams,
    words,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("цена", "Цены ЦЕНАМИ цене ценою"),
        ("договор", "договоры, договорами; (договору)"),
        ("счет", "счёт Счёта СЧЕТАМ"),
        ("доставка", "доставки доставкой доставку"),
        ("price", "Prices PRICE pricing"),
        ("delivery", "deliveries Delivery"),
        ("file", "ﬁle ＦＩＬＥ"),
        ("замок", "за\u0301мок за\u00adмок замок\u200b"),
        ("йод", "и\u0306од ЙОД"),
        ("strasse", "STRASSE straße"),
        ("istanbul", "İstanbul"),
        ("48213", "№48213 ４８２１３"),
    ],
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert set(terms(other)) == set(terms(one))
    assert len(terms(one)) == 1


PARADIGMS = """
канал канала каналу каналом канале каналы каналов каналам каналами каналах
материал материала материалу материалом материалы материалов
автомобиль автомобиля автомобилю автомобилем автомобили автомобилей автомобилям
деталь детали деталью деталей деталям деталями
профиль профиля профилю профилем профили профилей
ресторан ресторана ресторану рестораном ресторане рестораны ресторанов
экран экрана экраном экране экраны экранов
диван дивана диваном диване диваны диванов диваны
замена замены замене замену заменой замен
отмена отмены отмене отмену отменой отмен
обмен обмена обмену обменом обмене
кредит кредита кредиту кредитом кредиты кредитов
лимит лимита лимиту лимитом лимиты
режим режима режиму режимом режимы
случай случая случаю случаем случае случаи случаев
скидка скидки скидке скидку скидкой скидок скидкам
ошибка ошибки ошибку ошибкой ошибок ошибкам
доставка доставки доставке доставку доставкой доставок
звонок звонка звонку звонком звонки звонков
заказ заказа заказу заказом заказы заказов заказал заказали заказать заказала
работа работы работе работу работать работает работают работал работала
цена цены цене цену ценой цен ценам ценами
счет счета счету счетом счете счетов счетами
договор договора договору договором договоры договоров
журнал журнала журналом журналы журналов
персонал персонала персоналу персоналом
филиал филиала филиалы филиалов филиале
портал портала порталу порталом порталы
терминал терминала терминалу терминалы терминалов
квартал квартала кварталу кварталы
план плана плану планом планы планов
товар товара товары товаров товаром
оплата оплаты оплате оплату оплатой оплатить
возврат возврата возврату возвратом возвраты
размер размера размеры размеров
магазин магазина магазины магазинов магазине
комментарий комментария комментарии комментариев
поток потока потоки потоков
чек чека чеки чеков
ручка ручки ручку ручек
модель модели моделью моделей
рубль рубля рубли рублей
проблема проблемы проблему проблем проблемой
чемодан чемодана чемоданом чемоданы
подписка подписки подписок
сигнал сигнала сигналом сигналы
купить купил купили купите
""".strip().splitlines()


@pytest.mark.parametrize("forms", PARADIGMS, ids=lambda forms: forms.partition(" ")[0])
def test_all_forms_of_a_russian_word_meet(forms: str) -> None:
    # More than half of these words are parted by the stemmer alone.
    assert len(terms(forms)) == 1


def test_words_of_different_roots_stay_apart() -> None:
    roots = "канал кабель карта касса камера диван дизайн договор доставка оплата отмена обмен"
    assert len(terms(roots)) == len(roots.split())


def test_the_script_of_a_word_chooses_its_language() -> None:
    assert terms("Прислали invoices и счета") == ["присл", "invoic", "счет"]


def test_words_that_tell_nothing_are_left_out_and_negations_stay() -> None:
    assert terms("счёт на оплату") == terms("счёт оплату")
    assert "не" in terms("не работает")
    assert "not" in terms("it does not work")
    assert terms("и в на the of") == []


def test_a_term_is_given_once_in_order_of_appearance() -> None:
    assert terms("цена ужин цены ужина") == ["цен", "ужин"]


def test_underscores_and_punctuation_part_words() -> None:
    assert words("snake_case, a-b.c@d") == ["snake", "case", "a", "b", "c", "d"]


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_terms_do_not_depend_on_case_or_composition(text: str) -> None:
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@given(st.text())
def test_a_term_is_one_bounded_word_without_separators(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term) <= MAX_WORD
        assert term == "".join(term.split())
        assert all(sign.isalnum() for sign in term)


def test_folding_keeps_one_space_and_no_nul() -> None:
    assert fold("  Ёлки\u00a0\t и\x00палки ") == "елки и палки"


def test_hostile_text_is_bounded_in_number_length_and_time() -> None:
    many = " ".join(f"w{n}" for n in range(300_000))
    ligatures = "\ufdfa" * 1_000_000
    long = "я" * 5_000_000
    began = time.monotonic()
    assert len(terms(many)) == MAX_TERMS
    assert len(terms(ligatures)) <= MAX_TERMS
    assert len(terms(long)[0]) <= MAX_WORD
    assert len(query_terms(many)) == MAX_QUERY_TERMS
    assert len(trigrams(many)) <= 200
    assert len(digits("1" * 1_000_000)) <= MAX_WORD
    # Ten times what a loaded machine needs; without the bounds it takes minutes.
    assert time.monotonic() - began < 10


def test_many_threads_stem_at_once_and_agree() -> None:
    text = "доставки ценами договоров prices deliveries companies " * 20
    expected = terms(text)
    wrong: list[list[str]] = []

    def work() -> None:
        for _ in range(300):
            found = terms(text)
            if found != expected:
                wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_thread_has_stemmers_of_its_own() -> None:
    terms("цены")
    seen = [module._stemmers().russian]
    thread = threading.Thread(target=lambda: seen.append(module._stemmers().russian))
    thread.start()
    thread.join()
    assert seen[0].__self__ is not seen[1].__self__  # type: ignore[attr-defined]


ru_words = st.text("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", min_size=1, max_size=14)
en_words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=14)


@given(st.lists(ru_words | en_words | st.text(max_size=4), max_size=8), st.integers(0, 7))
def test_asking_for_terms_gives_what_making_all_terms_would(parts: list[str], n: int) -> None:
    text = " ".join(parts)
    known = terms(text)
    assert has_terms(text, known)
    for term in known:
        assert has_terms(text, [term])
        assert term_spans(text, [term])
    other = terms(parts[n]) if n < len(parts) else ["небывал"]
    assert has_terms("цена price", other) == (set(other) <= {"цен", "price"})


@pytest.mark.parametrize(
    "word",
    [
        "skies",
        "dying",
        "lying",
        "tying",
        "news",
        "happy",
        "relational",
        "hoping",
        "agreed",
        "possibly",
        "generously",
        "innings",
        "exceed",
        "подъезжали",
        "длинный",
        "ошибаться",
    ],
)
def test_a_word_whose_end_is_written_anew_is_still_met(word: str) -> None:
    assert has_terms(f"so {word} is", terms(word))
    assert term_spans(f"so {word} is", terms(word)) == [(3, 3 + len(word))]


def test_found_words_are_marked_where_they_stand() -> None:
    text = "Ваши це\u0301ны: высо\u00adкие ЦЕНЫ ﬁles"
    found = [text[start:end] for start, end in term_spans(text, query_terms("цена file"))]
    assert found == ["це\u0301ны", "ЦЕНЫ", "ﬁles"]


def test_names_with_a_typing_mistake_share_most_parts() -> None:
    right = set(trigrams("Александр Иванов"))
    for wrong in ("Алексадр Иванов", "Александр Ивaнов", "иванов алексондр"):
        assert len(right & set(trigrams(wrong))) / len(right) > 0.5
    assert len(right & set(trigrams("Мария Петренко"))) == 0


@pytest.mark.parametrize(
    "phone", ["+7 (912) 345-67-89", "8 912 345 67 89", "79123456789", "9123456789", "８9123456789"]
)
def test_a_russian_number_is_one_in_all_its_spellings(phone: str) -> None:
    assert digits(phone) == "9123456789"
    assert is_phone(phone)


def test_a_foreign_number_keeps_its_digits() -> None:
    assert digits("+49 (30) 901820") == "4930901820"


def test_any_part_of_a_number_has_parts_of_the_whole() -> None:
    whole = set(phone_grams("+7 912 345-67-89"))
    for part in ("345-67-89", "89123", "91234", "+7 912 3"):
        spelt = set(phone_grams(part)) | set(phone_grams(part[1:]))
        assert spelt & whole
    assert set(phone_grams("345-67-89")) <= whole


def test_words_and_short_numbers_are_no_phone() -> None:
    for text in ("Иван", "123", "", "order 12345", "ivan@example.com"):
        assert not is_phone(text)


def test_words_are_marked_beside_the_sign_of_what_is_cut_short() -> None:
    text = "…счёт…\u00a0ваши счета…"
    found = [text[start:end] for start, end in term_spans(text, query_terms("счёт"))]
    assert found == ["счёт", "счета"]
