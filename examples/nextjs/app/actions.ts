'use server'

import { redirect } from 'next/navigation'
import { endSession, startSession, updateSession } from '../lib/session'

export async function logIn(form: FormData) {
  const user = form.get('user')
  if (typeof user === 'string' && user !== '') await startSession({ user, views: 0 })
  redirect('/')
}

export async function logOut() {
  await endSession()
  redirect('/')
}

export async function addView() {
  await updateSession((session) => {
    session.views += 1
  })
  redirect('/')
}
