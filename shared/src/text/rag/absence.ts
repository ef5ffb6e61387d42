/** "It is not in the documents", in plain words. */

const SENTENCES: Readonly<Record<string, string>> = {
  en: 'The documents do not answer this question.',
  de: 'Die Dokumente beantworten diese Frage nicht.',
  fr: 'Les documents ne répondent pas à cette question.',
  es: 'Los documentos no responden a esta pregunta.',
  it: 'I documenti non rispondono a questa domanda.',
  pt: 'Os documentos não respondem a esta pergunta.',
  nl: 'De documenten beantwoorden deze vraag niet.',
  pl: 'Dokumenty nie odpowiadają na to pytanie.',
  sv: 'Dokumenten besvarar inte den här frågan.',
  cs: 'Dokumenty na tuto otázku neodpovídají.',
  tr: 'Belgeler bu soruyu yanıtlamıyor.',
  ru: 'В документах нет ответа на этот вопрос.',
  uk: 'У документах немає відповіді на це запитання.',
  ar: 'لا تجيب المستندات عن هذا السؤال.',
  hi: 'दस्तावेज़ों में इस प्रश्न का उत्तर नहीं है।',
  zh: '这些文档没有回答这个问题。',
  ja: '文書にはこの質問の答えがありません。',
  ko: '문서에 이 질문에 대한 답이 없습니다.',
};

/** The sentence for a language by its code (`de`, `pt-BR`) or its English name; English where there is none. */
export function absenceIn(language: string | undefined): string {
  const asked = (language ?? 'en').trim().toLowerCase();
  const code = asked.split(/[-_]/)[0] ?? '';
  const known = Object.hasOwn(SENTENCES, code) ? code : codeOfName(asked);
  return SENTENCES[known] ?? SENTENCES['en'] ?? '';
}

const NAMES = new Intl.DisplayNames(['en'], { type: 'language' });

function codeOfName(name: string): string {
  return Object.keys(SENTENCES).find((code) => NAMES.of(code)?.toLowerCase() === name) ?? 'en';
}
